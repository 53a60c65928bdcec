using System.Globalization;
using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>
/// How one value is formatted: Python's mini-language <c>[[fill]align][sign][#][0][width][,][.precision][type]</c>
/// (https://docs.python.org/3/library/string.html#formatspec), which the flags of <c>%</c> are turned into.
/// </summary>
internal sealed record FormatSpec
{
    private const int MostDigits = 1000;

    internal string Fill { get; init; } = " ";

    /// <summary><c>&lt; &gt; ^ =</c>, or 0 for the type's own.</summary>
    internal char Align { get; init; }

    internal char Sign { get; init; } = '-';

    internal bool IsAlternate { get; init; }

    internal int Width { get; init; }

    /// <summary><c>,</c> or <c>_</c> between groups of digits, or 0.</summary>
    internal char Grouping { get; init; }

    internal int? Precision { get; init; }

    internal char Type { get; init; }

    internal static FormatSpec Parse(string text)
    {
        int at = 0;
        int first = PythonText.FirstWidth(text);
        string fill = " ";
        char align = '\0';
        if (text.Length > first && first > 0 && text[first] is '<' or '>' or '^' or '=')
        {
            fill = text[..first];
            align = text[first];
            at = first + 1;
        }
        else if (text.Length > 0 && text[0] is '<' or '>' or '^' or '=')
        {
            align = text[at++];
        }

        char sign = at < text.Length && text[at] is '+' or '-' or ' ' ? text[at++] : '-';
        bool alternate = Take('#');
        if (at < text.Length && text[at] == '0' && align == '\0')
        {
            at++;
            fill = "0";
            align = '=';
        }

        int width = Number() ?? 0;
        char grouping = at < text.Length && text[at] is ',' or '_' ? text[at++] : '\0';
        int? precision = Take('.') ? Number() ?? throw new Fault("a format has a '.' without a precision") : null;
        char type = at < text.Length ? text[at++] : '\0';
        if (at < text.Length)
            throw new Fault($"a format is wrong: '{text[..Math.Min(text.Length, 40)]}'");
        return new FormatSpec
        {
            Fill = fill,
            Align = align,
            Sign = sign,
            IsAlternate = alternate,
            Width = width,
            Grouping = grouping,
            Precision = precision,
            Type = type,
        };

        bool Take(char letter)
        {
            if (at >= text.Length || text[at] != letter)
                return false;
            at++;
            return true;
        }

        int? Number()
        {
            int begin = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
                at++;
            if (begin == at)
                return null;
            return int.TryParse(text.AsSpan(begin, at - begin), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number
                : throw new Fault("a format has a number that is too large");
        }
    }

    /// <summary>The value in this format.</summary>
    internal string Apply(Value value, Evaluator evaluator)
    {
        evaluator.Budget.NewText(Width);
        if (Precision > MostDigits && value is not TextValue)
            throw new Fault($"a format has a precision of {Precision}, expected at most {MostDigits}");
        if (value is FloatValue || (Numbers.IsNumber(value) && Type is 'f' or 'F' or 'e' or 'E' or 'g' or 'G' or '%'))
            return OfFloat(value);
        if (Numbers.TryInteger(value, out BigInteger integer))
            return OfInteger(integer);
        if (Type is not ('\0' or 's'))
            throw new Fault($"the format '{Type}' does not fit a value of type {value.TypeName}");
        string text = evaluator.CountedStr(value);
        if (Precision is { } most && most < CodePoints.Count(text))
            text = CodePoints.Part(text, 0, most, 1);
        return Pad("", text, '<', evaluator.Budget);
    }

    private string OfInteger(BigInteger number)
    {
        BigInteger size = BigInteger.Abs(number);
        (string prefix, string digits) = Type switch
        {
            '\0' or 'd' or 'n' or 'i' or 'u' => ("", PythonNumbers.Text(size)),
            'x' => ("0x", Radix(size, 16)),
            'X' => ("0X", Radix(size, 16).ToUpperInvariant()),
            'o' => ("0o", Radix(size, 8)),
            'b' => ("0b", Radix(size, 2)),
            'c' => ("", number >= 0 && number <= 0x10FFFF && !(number >= 0xD800 && number <= 0xDFFF)
                ? char.ConvertFromUtf32((int)number)
                : throw new Fault("the format 'c' needs the number of a character")),
            _ => throw new Fault($"the format '{Type}' does not fit a whole number"),
        };
        return Pad(SignOf(number.Sign < 0) + (IsAlternate ? prefix : ""), Group(digits.PadLeft(Precision ?? 0, '0')), '>', null);
    }

    private string OfFloat(Value value)
    {
        _ = Numbers.TryFloat(value, out double number);
        double size = Math.Abs(number);
        string digits = Type switch
        {
            'f' or 'F' => PythonNumbers.Fixed(size, Precision ?? 6),
            'e' or 'E' => PythonNumbers.Exponential(size, Precision ?? 6),
            'g' or 'G' => PythonNumbers.General(size, Precision ?? 6, IsAlternate),
            'n' => PythonNumbers.General(size, Precision ?? 6),
            '%' => PythonNumbers.Fixed(size * 100, Precision ?? 6) + "%",
            '\0' => Precision is { } precision ? PythonNumbers.General(size, precision) : PythonNumbers.Text(size),
            _ => throw new Fault($"the format '{Type}' does not fit a floating number"),
        };
        if (Type is 'F' or 'E' or 'G')
            digits = digits.ToUpperInvariant();
        return Pad(SignOf(double.IsNegative(number) && !double.IsNaN(number)), Group(digits), '>', null);
    }

    private static string Radix(BigInteger size, int radix)
    {
        if (size.IsZero)
            return "0";
        var digits = new Stack<char>();
        for (; !size.IsZero; size /= radix)
            digits.Push("0123456789abcdef"[(int)(size % radix)]);
        return new string([.. digits]);
    }

    private string SignOf(bool isNegative) => isNegative ? "-" : Sign == '-' ? "" : Sign.ToString();

    private string Group(string digits)
    {
        if (Grouping == '\0')
            return digits;
        int end = digits.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and int at ? at : digits.Length;
        for (int i = end - 3; i > 0; i -= 3)
            digits = digits.Insert(i, Grouping.ToString());
        return digits;
    }

    private string Pad(string sign, string text, char align, Budget? budget)
    {
        budget?.NewText(text.Length);
        int missing = Width - sign.Length - CodePoints.Count(text);
        if (missing <= 0)
            return sign + text;
        string Filled(int count) => Fill.Length == 1 ? new string(Fill[0], count) : string.Concat(Enumerable.Repeat(Fill, count));
        return (Align == '\0' ? align : Align) switch
        {
            '<' => sign + text + Filled(missing),
            '^' => Filled(missing / 2) + sign + text + Filled(missing - (missing / 2)),
            '=' => sign + Filled(missing) + text,
            _ => Filled(missing) + sign + text,
        };
    }
}
