using System.Text;

namespace Pure.Chat.Templates;

/// <summary>Filters that make or change texts. What is no text is made one first.</summary>
internal static class TextFilters
{
    internal static readonly Builtin[] All =
    [
        new("string", "value", (a, e) => e.SoftText(a[0])),
        new("safe", "value", (a, e) => new TextValue(e.Str(a[0]), isSafe: true)),
        new("escape", "value", (a, e) => Escape(a[0], e)),
        new("e", "value", (a, e) => Escape(a[0], e)),
        new("forceescape", "value", (a, e) => new TextValue(PythonText.Escape(e.Str(a[0]), e.Budget), isSafe: true)),
        Mapped("upper", PythonText.Upper),
        Mapped("lower", PythonText.Lower),
        Mapped("capitalize", PythonText.Capitalize),
        Mapped("title", Title),
        new("trim", "value, chars?", (a, e) => Trim(a, e)),
        new("replace", "value, old, new, count?", Replace),
        new("indent", "value, width?, first?, blank?", Indent),
        new("format", "value, *rest, **named", Format),
        new("center", "value, width?", (a, e) => Center(e.SoftText(a[0]), a.Count(1, 80), e.Budget)),
        new("truncate", "value, length?, killwords?, end?, leeway?", Truncate),
        new("wordcount", "value", (a, e) => IntegerValue.Of(CountWords(e.CountedStr(a[0])))),
        new("wordwrap", "value, width?, break_long_words?, wrapstring?, break_on_hyphens?", WordWrap.Apply),
        new("urlencode", "value", UrlEncode),
        new("striptags", "value", (a, e) => new TextValue(StripTags(e.CountedStr(a[0])))),
        new("xmlattr", "value, autospace?", XmlAttributes),
    ];

    /// <summary>The part of a text that a text method of Python centres.</summary>
    internal static TextValue Center(TextValue text, int width, Budget budget, string fill = " ")
    {
        budget.Characters(text.Text.Length);
        int missing = width - CodePoints.Count(text.Text);
        if (missing <= 0)
            return text;
        budget.NewText((long)text.Text.Length + (missing * (long)fill.Length));
        int left = (missing / 2) + (missing & width & 1);
        return text.With(Repeat(fill, left) + text.Text + Repeat(fill, missing - left));
    }

    internal static string Repeat(string fill, int count) =>
        fill.Length == 1 ? new string(fill[0], count) : string.Concat(Enumerable.Repeat(fill, count));

    /// <summary><c>str.replace</c>, its length known before it is made.</summary>
    internal static string Replace(string text, string old, string by, int most, Budget budget)
    {
        if (most == 0)
            return text;
        var output = new BoundedText(budget);
        if (old.Length == 0)
        {
            int left = most < 0 ? int.MaxValue : most;
            foreach (string point in CodePoints.Enumerate(text))
            {
                if (left-- > 0)
                    output.Append(by);
                output.Append(point);
            }

            return left > 0 ? output.Append(by).ToString() : output.ToString();
        }

        budget.Search(text, old);
        int begin = 0;
        for (int done = 0; most < 0 || done < most; done++)
        {
            int at = text.IndexOf(old, begin, StringComparison.Ordinal);
            if (at < 0)
                break;
            output.Append(text.AsSpan(begin, at - begin)).Append(by);
            begin = at + old.Length;
        }

        return begin == 0 ? text : output.Append(text.AsSpan(begin)).ToString();
    }

    private static Builtin Mapped(string name, Func<string, string> map) => new(name, "value", (arguments, evaluator) =>
    {
        TextValue text = evaluator.SoftText(arguments[0]);
        evaluator.Budget.NewText(2L * text.Text.Length);
        return text.With(map(text.Text));
    });

    private static TextValue Escape(Value value, Evaluator evaluator) =>
        value is TextValue { IsSafe: true } safe ? safe : new TextValue(PythonText.Escape(evaluator.Str(value), evaluator.Budget), isSafe: true);

    private static TextValue Trim(BuiltinArguments arguments, Evaluator evaluator)
    {
        TextValue text = evaluator.SoftText(arguments[0]);
        string? letters = arguments.TextOrNull(1);
        evaluator.Budget.Strip(text.Text, letters);
        return text.With(PythonText.Strip(text.Text, letters));
    }

    private static TextValue Replace(BuiltinArguments arguments, Evaluator evaluator) => new(Replace(
        evaluator.Str(arguments[0]), evaluator.Str(arguments[1]), evaluator.Str(arguments[2]), arguments.Count(3, -1), evaluator.Budget));

    /// <summary>Words as the filter has them: a letter after a blank, a hyphen or an opening bracket becomes upper, the others lower.</summary>
    private static string Title(string text)
    {
        var output = new StringBuilder(text.Length);
        int begin = 0;
        while (begin < text.Length)
        {
            int end = begin;
            while (end < text.Length && !IsBreak(text[end]))
                end++;
            if (end > begin)
            {
                string word = text[begin..end];
                int first = PythonText.FirstWidth(word);
                output.Append(PythonText.Upper(word[..first])).Append(PythonText.Lower(word[first..]));
            }

            for (begin = end; begin < text.Length && IsBreak(text[begin]); begin++)
                output.Append(text[begin]);
        }

        return output.ToString();

        static bool IsBreak(char letter) => PythonText.IsSpace(letter) || letter is '-' or '(' or '{' or '[' or '<';
    }

    private static TextValue Indent(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (arguments[0] is not TextValue value)
            throw arguments.Wrong(0, "a string");
        int width = arguments.Find(1) is TextValue ? 0 : Math.Max(0, arguments.Count(1, 4));
        evaluator.Budget.NewText(width);
        string indent = arguments.Find(1) is TextValue { Text: var custom } ? custom : new string(' ', width);
        evaluator.Budget.Characters(value.Text.Length);
        List<string> lines = PythonText.SplitLines(value.Text + "\n");
        var output = new BoundedText(evaluator.Budget);
        bool indentsBlank = arguments.IsTrue(3);
        for (int i = 0; i < lines.Count; i++)
        {
            if (i > 0)
                output.Append('\n');
            if (i == 0 ? arguments.IsTrue(2) : indentsBlank || lines[i].Length > 0)
                output.Append(indent);
            output.Append(lines[i]);
        }

        return value.With(output.ToString());
    }

    private static TextValue Format(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (arguments.Named.Length > 0 && arguments.Rest.Length > 0)
            throw new Fault("'format' takes arguments with names or without, not both");
        Value values = new TupleValue(arguments.Rest);
        if (arguments.Named.Length > 0)
        {
            var dictionary = new DictionaryValue(evaluator.Budget);
            foreach ((string name, Value value) in arguments.Named)
                dictionary.Set(new TextValue(name), value);
            values = dictionary;
        }

        return PercentFormat.Format(evaluator.SoftText(arguments[0]), values, evaluator);
    }

    private static Value Truncate(BuiltinArguments arguments, Evaluator evaluator)
    {
        int length = arguments.Count(1, 255);
        string end = arguments.Text(3, "...");
        int leeway = arguments.Count(4, 5);
        int endLength = CodePoints.Count(end);
        if (length < endLength)
            throw new Fault($"'truncate' expects a length of at least {endLength}, found {length}");
        if (leeway < 0)
            throw new Fault($"'truncate' expects a leeway of at least 0, found {leeway}");
        evaluator.Budget.Characters(arguments[0] is TextValue { Text.Length: var units } ? units : 0);
        if (arguments[0].Length <= (long)length + leeway)
            return arguments[0];
        TextValue value = arguments[0] as TextValue ?? throw arguments.Wrong(0, "a string");
        string head = CodePoints.Part(value.Text, 0, length - endLength, 1);
        if (!arguments.IsTrue(2) && head.LastIndexOf(' ') is >= 0 and int space)
            head = head[..space];
        return value.With(head + end);
    }

    private static int CountWords(string text)
    {
        int words = 0;
        bool inWord = false;
        foreach (char letter in text)
        {
            bool isWord = letter == '_' || char.IsLetterOrDigit(letter);
            words += isWord && !inWord ? 1 : 0;
            inWord = isWord;
        }

        return words;
    }

    private static TextValue UrlEncode(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (arguments[0] is TextValue || arguments[0].Iterate(evaluator.Budget) is null)
            return new TextValue(Quote(evaluator.Str(arguments[0]), "/", evaluator.Budget));
        IEnumerable<Value> pairs = arguments[0] is DictionaryValue dictionary
            ? dictionary.Entries(evaluator.Budget)
            : evaluator.Iterate(arguments[0]);
        var output = new BoundedText(evaluator.Budget);
        foreach (Value pair in pairs)
        {
            if (evaluator.ToList(pair) is not [var key, var value])
                throw arguments.Wrong(0, "a string, a mapping or pairs");
            if (output.Length > 0)
                output.Append('&');
            output.Append(QuotePlus(key)).Append('=').Append(QuotePlus(value));
        }

        return new TextValue(output.ToString());

        string QuotePlus(Value value) =>
            Quote(evaluator.Str(value), " ", evaluator.Budget).Replace(' ', '+');
    }

    private static string Quote(string text, string kept, Budget budget)
    {
        var output = new BoundedText(budget);
        foreach (byte unit in Encoding.UTF8.GetBytes(text))
        {
            char letter = (char)unit;
            if (char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or '-' or '~' || kept.Contains(letter))
                output.Append(letter);
            else
                output.Append($"%{unit:X2}");
        }

        return output.ToString();
    }

    /// <summary>Without tags and comments, and with single blanks.</summary>
    private static string StripTags(string text)
    {
        var output = new StringBuilder(text.Length);
        for (int at = 0; at < text.Length; at++)
        {
            int end = -1;
            if (string.CompareOrdinal(text, at, "<!--", 0, 4) == 0)
                end = text.IndexOf("-->", at, StringComparison.Ordinal) is >= 0 and int comment ? comment + 2 : -1;
            else if (text[at] == '<')
                end = text.IndexOf('>', at);
            if (end < 0 && text[at] == '<')
                return Joined(output.Append(text.AsSpan(at)).ToString());
            if (end < 0)
                output.Append(text[at]);
            else
                at = end;
        }

        return Joined(output.ToString());

        static string Joined(string text) => string.Join(' ', TextMethods.SplitBlanks(text, -1))
            .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal)
            .Replace("&#39;", "'", StringComparison.Ordinal).Replace("&#34;", "\"", StringComparison.Ordinal)
            .Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal);
    }

    private static TextValue XmlAttributes(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (arguments[0] is not DictionaryValue dictionary)
            throw arguments.Wrong(0, "a mapping");
        var output = new BoundedText(evaluator.Budget);
        foreach ((Value key, Value value) in dictionary.Pairs)
        {
            if (value is NoneValue or UndefinedValue)
                continue;
            if (output.Length > 0 || arguments.IsTrue(1, fallback: true))
                output.Append(' ');
            output.Append(Escape(key, evaluator).Text).Append("=\"").Append(Escape(value, evaluator).Text).Append('"');
        }

        return new TextValue(output.ToString());
    }
}
