using System.Globalization;

namespace Pure.Chat.Templates;

/// <summary>The methods of texts. A safe text escapes what is put into it and makes safe texts.</summary>
internal static class TextMethods
{
    internal static readonly FunctionTable Table = new(
        Mapped("upper", PythonText.Upper),
        Mapped("lower", PythonText.Lower),
        Mapped("casefold", text => PythonText.Lower(text).Replace("ß", "ss", StringComparison.Ordinal)),
        Mapped("capitalize", PythonText.Capitalize),
        Mapped("title", PythonText.Title),
        Mapped("swapcase", SwapCase),
        new Builtin("strip", "self, chars?", (a, e) => Strip(a, e, PythonText.Strip)),
        new Builtin("lstrip", "self, chars?", (a, e) => Strip(a, e, PythonText.StripBegin)),
        new Builtin("rstrip", "self, chars?", (a, e) => Strip(a, e, PythonText.StripEnd)),
        new Builtin("removeprefix", "self, prefix", (a, _) => RemoveAffix(a, atEnd: false)),
        new Builtin("removesuffix", "self, suffix", (a, _) => RemoveAffix(a, atEnd: true)),
        new Builtin("startswith", "self, prefix, start?, end?", (a, e) => HasAffix(a, e, atEnd: false)),
        new Builtin("endswith", "self, suffix, start?, end?", (a, e) => HasAffix(a, e, atEnd: true)),
        new Builtin("split", "self, sep?, maxsplit?", (a, e) => Split(a, e, fromEnd: false)),
        new Builtin("rsplit", "self, sep?, maxsplit?", (a, e) => Split(a, e, fromEnd: true)),
        new Builtin("splitlines", "self, keepends?", (a, e) => Texts(a, e, PythonText.SplitLines(Text(a), a.IsTrue(1)))),
        new Builtin("partition", "self, sep", (a, e) => Partition(a, e, fromEnd: false)),
        new Builtin("rpartition", "self, sep", (a, e) => Partition(a, e, fromEnd: true)),
        new Builtin("join", "self, items", Join),
        new Builtin("replace", "self, old, new, count?", (a, e) => Self(a).With(
            TextFilters.Replace(Text(a), a.Text(1), Escaped(a, 2, e), a.Count(3, -1), e.Budget))),
        new Builtin("format", "self, *rest, **named", (a, e) => BraceFormat.Format(Self(a), a.After(1), e)),
        new Builtin("format_map", "self, mapping", FormatMap),
        new Builtin("find", "self, sub, start?, end?", (a, e) => IntegerValue.Of(Find(a, e, fromEnd: false))),
        new Builtin("rfind", "self, sub, start?, end?", (a, e) => IntegerValue.Of(Find(a, e, fromEnd: true))),
        new Builtin("index", "self, sub, start?, end?", (a, e) => Index(Find(a, e, fromEnd: false))),
        new Builtin("rindex", "self, sub, start?, end?", (a, e) => Index(Find(a, e, fromEnd: true))),
        new Builtin("count", "self, sub, start?, end?", Count),
        new Builtin("center", "self, width, fillchar?", (a, e) => TextFilters.Center(Self(a), a.Count(1, 0), e.Budget, Fill(a))),
        new Builtin("ljust", "self, width, fillchar?", (a, e) => Justify(a, e, toLeft: true)),
        new Builtin("rjust", "self, width, fillchar?", (a, e) => Justify(a, e, toLeft: false)),
        new Builtin("zfill", "self, width", ZeroFill),
        new Builtin("expandtabs", "self, tabsize?", ExpandTabs),
        Tested("isspace", text => PythonText.IsBlank(text)),
        Tested("isalpha", text => text.All(char.IsLetter)),
        Tested("isalnum", text => text.All(char.IsLetterOrDigit)),
        Tested("isdigit", text => text.All(letter => char.IsDigit(letter) || CharUnicodeInfo.GetDigitValue(letter) >= 0)),
        Tested("isdecimal", text => text.All(char.IsDigit)),
        Tested("isnumeric", text => text.All(char.IsNumber)),
        Tested("isascii", text => text.All(char.IsAscii), ofEmpty: true),
        Tested("islower", Tests.IsLower),
        Tested("isupper", Tests.IsUpper),
        Tested("istitle", text => text.Any(char.IsLetter) && PythonText.Title(text) == text),
        Tested("isidentifier", text => !char.IsDigit(text[0]) && text.All(letter => letter == '_' || char.IsLetterOrDigit(letter))));

    /// <summary><c>str.split()</c>: the words between blanks, at most <paramref name="most"/> cuts where that is not negative.</summary>
    internal static List<string> SplitBlanks(string text, int most)
    {
        var words = new List<string>();
        int at = 0;
        while (true)
        {
            while (at < text.Length && PythonText.IsSpace(text[at]))
                at++;
            if (at == text.Length)
                return words;
            if (words.Count == most)
            {
                words.Add(text[at..]);
                return words;
            }

            int begin = at;
            while (at < text.Length && !PythonText.IsSpace(text[at]))
                at++;
            words.Add(text[begin..at]);
        }
    }

    private static TextValue Self(BuiltinArguments arguments) => (TextValue)arguments[0];

    private static string Text(BuiltinArguments arguments) => Self(arguments).Text;

    /// <summary>A text that is put into another one: a safe text escapes it.</summary>
    private static string Escaped(BuiltinArguments arguments, int at, Evaluator evaluator)
    {
        string text = arguments.Text(at);
        return Self(arguments).IsSafe && arguments[at] is TextValue { IsSafe: false } ? PythonText.Escape(text, evaluator.Budget) : text;
    }

    private static Builtin Mapped(string name, Func<string, string> map) => new(name, "self", (arguments, evaluator) =>
    {
        evaluator.Budget.NewText(2L * Text(arguments).Length);
        return Self(arguments).With(map(Text(arguments)));
    });

    private static Builtin Tested(string name, Func<string, bool> holds, bool ofEmpty = false) =>
        new(name, "self", (arguments, _) => BooleanValue.Of(Text(arguments).Length == 0 ? ofEmpty : holds(Text(arguments))));

    private static string SwapCase(string text) =>
        string.Concat(text.Select(letter => char.IsUpper(letter) ? char.ToLowerInvariant(letter) : char.ToUpperInvariant(letter)));

    private static ListValue Texts(BuiltinArguments arguments, Evaluator evaluator, List<string> parts)
    {
        evaluator.Budget.Step(parts.Count);
        evaluator.Budget.NewText(Text(arguments).Length);
        return new ListValue([.. parts.Select(Self(arguments).With)]);
    }

    private static TextValue Strip(BuiltinArguments arguments, Evaluator evaluator, Func<string, string?, string> strip)
    {
        string? letters = arguments.TextOrNull(1);
        evaluator.Budget.Strip(Text(arguments), letters);
        return Self(arguments).With(strip(Text(arguments), letters));
    }

    private static TextValue RemoveAffix(BuiltinArguments arguments, bool atEnd)
    {
        string text = Text(arguments);
        string affix = arguments.Text(1);
        return Self(arguments).With(
            atEnd ? (text.EndsWith(affix, StringComparison.Ordinal) ? text[..^affix.Length] : text)
            : text.StartsWith(affix, StringComparison.Ordinal) ? text[affix.Length..] : text);
    }

    private static BooleanValue HasAffix(BuiltinArguments arguments, Evaluator evaluator, bool atEnd)
    {
        string? text = Range(arguments)?.Text;
        IEnumerable<Value> affixes = arguments[1] is TupleValue tuple ? tuple.Iterate(evaluator.Budget) : [arguments[1]];
        foreach (Value affix in affixes)
        {
            if (affix is not TextValue { Text: var sought })
                throw arguments.Wrong(1, "a string or a tuple of strings");
            evaluator.Budget.Characters(sought.Length / 16);
            if (text is not null && (atEnd ? text.EndsWith(sought, StringComparison.Ordinal) : text.StartsWith(sought, StringComparison.Ordinal)))
                return BooleanValue.True;
        }

        return BooleanValue.False;
    }

    /// <summary><c>text[start:end]</c> and the units before it; null where start is beyond the end.</summary>
    private static (string Text, int Offset)? Range(BuiltinArguments arguments)
    {
        string text = Text(arguments);
        if (!arguments.Has(2) && !arguments.Has(3))
            return (text, 0);
        int count = CodePoints.Count(text);
        int start = Place(arguments.Count(2, 0));
        int end = Math.Min(count, Place(arguments.Count(3, count)));
        if (start > end)
            return null;
        int offset = CodePoints.ToUnits(text, start);
        return (text[offset..CodePoints.ToUnits(text, end)], offset);

        int Place(int at) => at < 0 ? Math.Max(0, at + count) : at;
    }

    private static int Find(BuiltinArguments arguments, Evaluator evaluator, bool fromEnd)
    {
        string sought = arguments.Text(1);
        if (Range(arguments) is not var (text, offset))
            return -1;
        evaluator.Budget.Search(text, sought);
        int at = fromEnd ? (sought.Length == 0 ? text.Length : text.LastIndexOf(sought, StringComparison.Ordinal))
            : text.IndexOf(sought, StringComparison.Ordinal);
        return at < 0 ? -1 : CodePoints.FromUnits(Text(arguments), offset + at);
    }

    private static IntegerValue Index(int at) => at >= 0 ? IntegerValue.Of(at) : throw new Fault("substring not found");

    private static IntegerValue Count(BuiltinArguments arguments, Evaluator evaluator)
    {
        string sought = arguments.Text(1);
        if (Range(arguments) is not var (text, _))
            return IntegerValue.Of(0);
        if (sought.Length == 0)
            return IntegerValue.Of(CodePoints.Count(text) + 1);
        evaluator.Budget.Search(text, sought);
        int count = 0;
        for (int at = 0; (at = text.IndexOf(sought, at, StringComparison.Ordinal)) >= 0; at += sought.Length)
            count++;
        return IntegerValue.Of(count);
    }

    private static ListValue Split(BuiltinArguments arguments, Evaluator evaluator, bool fromEnd)
    {
        string text = Text(arguments);
        int most = arguments.Count(2, -1);
        if (arguments.TextOrNull(1) is not { } separator)
            return Texts(arguments, evaluator, fromEnd && most >= 0 ? SplitBlanksFromEnd(text, most, evaluator.Budget) : SplitBlanks(text, most));
        if (separator.Length == 0)
            throw new Fault("empty separator");
        evaluator.Budget.Search(text, separator);
        var parts = new List<string>();
        if (fromEnd && most >= 0)
        {
            int end = text.Length;
            while (parts.Count < most && LastIndex(text[..end], separator) is >= 0 and int at)
            {
                evaluator.Budget.Characters(end);
                parts.Add(text[(at + separator.Length)..end]);
                end = at;
            }

            parts.Add(text[..end]);
            parts.Reverse();
            return Texts(arguments, evaluator, parts);
        }

        int begin = 0;
        while ((most < 0 || parts.Count < most) && text.IndexOf(separator, begin, StringComparison.Ordinal) is >= 0 and int found)
        {
            parts.Add(text[begin..found]);
            begin = found + separator.Length;
        }

        parts.Add(text[begin..]);
        return Texts(arguments, evaluator, parts);
    }

    private static int LastIndex(string text, string sought) => text.LastIndexOf(sought, StringComparison.Ordinal);

    private static List<string> SplitBlanksFromEnd(string text, int most, Budget budget)
    {
        List<string> words = SplitBlanks(text, -1);
        if (words.Count <= most + 1)
            return words;
        string rest = text;
        var last = new List<string>();
        foreach (string word in words.TakeLast(most).Reverse())
        {
            budget.Characters(rest.Length);
            last.Add(word);
            rest = PythonText.StripEnd(PythonText.StripEnd(rest)[..^word.Length]);
        }

        last.Add(PythonText.StripEnd(rest));
        last.Reverse();
        last[0] = most == 0 ? PythonText.StripEnd(text) : last[0];
        return last;
    }

    private static TupleValue Partition(BuiltinArguments arguments, Evaluator evaluator, bool fromEnd)
    {
        TextValue self = Self(arguments);
        string text = self.Text;
        string separator = arguments.Text(1);
        if (separator.Length == 0)
            throw new Fault("empty separator");
        evaluator.Budget.Search(text, separator);
        int at = fromEnd ? LastIndex(text, separator) : text.IndexOf(separator, StringComparison.Ordinal);
        if (at < 0)
            return new TupleValue(fromEnd ? [self.With(""), self.With(""), self] : [self, self.With(""), self.With("")]);
        return new TupleValue([self.With(text[..at]), self.With(separator), self.With(text[(at + separator.Length)..])]);
    }

    private static TextValue Join(BuiltinArguments arguments, Evaluator evaluator)
    {
        var output = new BoundedText(evaluator.Budget);
        int index = 0;
        foreach (Value item in evaluator.Iterate(arguments[1]))
        {
            if (item is not TextValue text && !Self(arguments).IsSafe)
                throw new Fault($"sequence item {index}: expected str instance, {item.TypeName} found");
            if (index++ > 0)
                output.Append(Text(arguments));
            string part = evaluator.Str(item);
            output.Append(Self(arguments).IsSafe && item is not TextValue { IsSafe: true } ? PythonText.Escape(part, evaluator.Budget) : part);
        }

        return Self(arguments).With(output.ToString());
    }

    private static TextValue FormatMap(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (arguments[1] is not DictionaryValue dictionary)
            throw arguments.Wrong(1, "a mapping");
        (string, Value)[] named =
            [.. dictionary.Pairs.Where(pair => pair.Key is TextValue).Select(pair => (((TextValue)pair.Key).Text, pair.Value))];
        return BraceFormat.Format(Self(arguments), new CallArguments([], named), evaluator);
    }

    private static string Fill(BuiltinArguments arguments)
    {
        string fill = arguments.Text(2, " ");
        return CodePoints.Count(fill) == 1 ? fill : throw new Fault("the fill character must be exactly one character long");
    }

    private static TextValue Justify(BuiltinArguments arguments, Evaluator evaluator, bool toLeft)
    {
        string text = Text(arguments);
        string fill = Fill(arguments);
        int missing = Math.Max(0, arguments.Count(1, 0) - CodePoints.Count(text));
        evaluator.Budget.NewText(text.Length + ((long)missing * fill.Length));
        string filled = TextFilters.Repeat(fill, missing);
        return Self(arguments).With(toLeft ? text + filled : filled + text);
    }

    private static TextValue ZeroFill(BuiltinArguments arguments, Evaluator evaluator)
    {
        string text = Text(arguments);
        int missing = Math.Max(0, arguments.Count(1, 0) - CodePoints.Count(text));
        evaluator.Budget.NewText((long)text.Length + missing);
        int sign = text.StartsWith('-') || text.StartsWith('+') ? 1 : 0;
        return Self(arguments).With(text[..sign] + new string('0', missing) + text[sign..]);
    }

    private static TextValue ExpandTabs(BuiltinArguments arguments, Evaluator evaluator)
    {
        int size = Math.Max(0, arguments.Count(1, 8));
        var output = new BoundedText(evaluator.Budget);
        int column = 0;
        foreach (string point in CodePoints.Enumerate(Text(arguments)))
        {
            if (point == "\t")
            {
                int width = size == 0 ? 0 : size - (column % size);
                output.Append(' ', width);
                column += width;
                continue;
            }

            output.Append(point);
            column = point is "\n" or "\r" ? 0 : column + 1;
        }

        return Self(arguments).With(output.ToString());
    }
}
