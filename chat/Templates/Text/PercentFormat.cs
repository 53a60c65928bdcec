namespace Pure.Chat.Templates;

/// <summary><c>'%s: %05.1f' % (name, number)</c></summary>
internal static class PercentFormat
{
    internal static TextValue Format(TextValue format, Value values, Evaluator evaluator)
    {
        string text = format.Text;
        var output = new BoundedText(evaluator.Budget);
        Value[] arguments = values is TupleValue tuple ? tuple.Items : [values];
        int next = 0;
        for (int at = 0; at < text.Length; at++)
        {
            if (text[at] != '%')
            {
                output.Append(text[at]);
                continue;
            }

            (string? name, FormatSpec spec, int end) = Parse(text, at + 1, Number);
            at = end;
            if (spec.Type == '%')
            {
                output.Append('%');
                continue;
            }

            Value value = name is null ? Next() : Named(name);
            string part = Convert(value, spec, evaluator);
            output.Append(format.IsSafe && value is not TextValue { IsSafe: true } ? PythonText.Escape(part, evaluator.Budget) : part);
        }

        if (next < arguments.Length && values is not (DictionaryValue or ListValue or RangeValue or UndefinedValue))
            throw new Fault("not all arguments converted during string formatting");
        return format.With(output.ToString());

        Value Next() => next < arguments.Length ? arguments[next++] : throw new Fault("not enough arguments for format string");

        int Number() => Numbers.TryIndex(Next(), out long number) ? (int)number : throw new Fault("* wants int");

        Value Named(string name)
        {
            if (values is not DictionaryValue dictionary)
                throw new Fault("format requires a mapping");
            next = arguments.Length;
            return dictionary.Find(new TextValue(name)) ?? throw new Fault($"a format string names '{name}', which is no key");
        }
    }

    /// <summary>Reads <c>(name)flags width.precision type</c>.</summary>
    private static (string? Name, FormatSpec Spec, int End) Parse(string text, int at, Func<int> takeNumber)
    {
        string? name = null;
        if (at < text.Length && text[at] == '(')
        {
            int close = text.IndexOf(')', at);
            if (close < 0)
                throw new Fault("incomplete format key");
            name = text[(at + 1)..close];
            at = close + 1;
        }

        int flagsAt = at;
        while (at < text.Length && text[at] is '-' or '+' or ' ' or '#' or '0')
            at++;
        string flags = text[flagsAt..at];
        int width = Number() ?? 0;
        int? precision = null;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            precision = Number() ?? 0;
        }

        while (at < text.Length && text[at] is 'h' or 'l' or 'L')
            at++;
        if (at >= text.Length)
            throw new Fault("incomplete format");
        bool isLeft = flags.Contains('-') || width < 0;
        bool isZero = flags.Contains('0') && !isLeft && text[at] is not ('s' or 'r' or 'a' or 'c');
        var spec = new FormatSpec
        {
            Fill = isZero ? "0" : " ",
            Align = isLeft ? '<' : isZero ? '=' : '>',
            Sign = flags.Contains('+') ? '+' : flags.Contains(' ') ? ' ' : '-',
            IsAlternate = flags.Contains('#'),
            Width = Math.Abs(width),
            Precision = precision,
            Type = text[at],
        };
        return (name, spec, at);

        int? Number()
        {
            if (at < text.Length && text[at] == '*')
            {
                at++;
                return takeNumber();
            }

            int begin = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
                at++;
            if (begin == at)
                return null;
            return int.TryParse(text.AsSpan(begin, at - begin), out int number)
                ? number
                : throw new Fault("a format has a number that is too large");
        }
    }

    private static string Convert(Value value, FormatSpec spec, Evaluator evaluator)
    {
        switch (spec.Type)
        {
            case 's':
                return (spec with { Type = 's' }).Apply(new TextValue(evaluator.Str(value)), evaluator);
            case 'r' or 'a':
                return (spec with { Type = 's' }).Apply(new TextValue(evaluator.Repr(value)), evaluator);
            case 'c' when value is TextValue { Length: 1 }:
                return (spec with { Type = 's' }).Apply(value, evaluator);
            case 'd' or 'i' or 'u' when value is FloatValue { Number: var number }:
                return (spec with { Type = 'd', Precision = null }).Apply(Numbers.Truncate(number), evaluator);
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o' or 'c' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                return Numbers.IsNumber(value)
                    ? spec.Apply(value is BooleanValue && spec.Type is 'd' or 'i' or 'u' ? IntegerValue.Of(value.IsTrue ? 1 : 0) : value, evaluator)
                    : throw new Fault(value is UndefinedValue undefined
                        ? undefined.Problem
                        : $"%{spec.Type} format: a real number is required, not {value.TypeName}");
            default:
                throw new Fault($"unsupported format character '{spec.Type}'");
        }
    }
}
