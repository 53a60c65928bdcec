using System.Globalization;
using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>Filters that make or change numbers.</summary>
internal static class NumberFilters
{
    private const int MostDecimals = 400;
    private static readonly string[] DecimalUnits = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    private static readonly string[] BinaryUnits = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

    internal static readonly Builtin[] All =
    [
        new("abs", "value", (a, _) => Abs(a)),
        new("int", "value, default?, base?", (a, e) => ToInteger(Counted(a, e))),
        new("float", "value, default?", (a, e) => ToFloat(Counted(a, e))),
        new("round", "value, precision?, method?", (a, _) => Round(a)),
        new("filesizeformat", "value, binary?", (a, e) => FileSize(Counted(a, e))),
    ];

    /// <summary>The arguments, after a text among them is counted because it will be read.</summary>
    private static BuiltinArguments Counted(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (arguments[0] is TextValue { Text: var text })
            evaluator.Budget.Characters(text.Length);
        return arguments;
    }

    private static Value Abs(BuiltinArguments arguments) =>
        Numbers.TryInteger(arguments[0], out BigInteger integer) ? IntegerValue.Of(BigInteger.Abs(integer))
        : Numbers.TryFloat(arguments[0], out double number) ? new FloatValue(Math.Abs(number))
        : throw arguments.Wrong(0, "a number");

    private static Value ToInteger(BuiltinArguments arguments)
    {
        Value fallback = arguments.Find(1) ?? IntegerValue.Of(0);
        switch (arguments[0])
        {
            case TextValue text:
                int radix = arguments.Count(2, 10);
                if (radix is not (0 or (>= 2 and <= 36)))
                    return fallback;
                if (PythonNumbers.ParseInteger(text.Text, radix) is { } integer)
                    return IntegerValue.Of(integer);
                return PythonNumbers.ParseFloat(text.Text) is { } parsed && double.IsFinite(parsed) ? Numbers.Truncate(parsed) : fallback;
            case FloatValue { Number: var number }:
                return double.IsFinite(number) ? Numbers.Truncate(number) : fallback;
            case UndefinedValue undefined:
                throw new Fault(undefined.Problem);
            default:
                return Numbers.TryInteger(arguments[0], out BigInteger whole) ? IntegerValue.Of(whole) : fallback;
        }
    }

    private static Value ToFloat(BuiltinArguments arguments)
    {
        Value fallback = arguments.Find(1) ?? new FloatValue(0);
        return arguments[0] switch
        {
            TextValue text => PythonNumbers.ParseFloat(text.Text) is { } parsed ? new FloatValue(parsed) : fallback,
            UndefinedValue undefined => throw new Fault(undefined.Problem),
            _ => Numbers.TryFloat(arguments[0], out double number) ? new FloatValue(number) : fallback,
        };
    }

    private static Value Round(BuiltinArguments arguments)
    {
        int precision = arguments.Count(1, 0);
        string method = arguments.Text(2, "common");
        if (method is not ("common" or "ceil" or "floor"))
            throw new Fault("'round' knows the methods common, ceil and floor");
        if (Math.Abs(precision) > MostDecimals)
            throw new Fault($"'round' takes at most {MostDecimals} decimals");
        if (method == "common" && Numbers.TryInteger(arguments[0], out BigInteger integer))
            return IntegerValue.Of(precision >= 0 ? integer : RoundTo(integer, BigInteger.Pow(10, -precision)));
        if (!Numbers.TryFloat(arguments[0], out double number))
            throw arguments.Wrong(0, "a number");
        if (method == "common")
            return new FloatValue(RoundTo(number, precision));
        double scale = Math.Pow(10, precision);
        return new FloatValue((method == "ceil" ? Math.Ceiling(number * scale) : Math.Floor(number * scale)) / scale);
    }

    private static double RoundTo(double number, int decimals)
    {
        // Beyond these decimals every floating number is exact, before them it is 0.
        if (!double.IsFinite(number) || decimals > 330)
            return number;
        string digits = PythonNumbers.Scale(number, decimals).ToString(CultureInfo.InvariantCulture);
        double rounded = double.Parse($"{digits}e{-decimals}", NumberStyles.Float, CultureInfo.InvariantCulture);
        return rounded == 0 ? Math.CopySign(0, number) : rounded;
    }

    /// <summary>To a multiple of <paramref name="unit"/>, ties to the even one.</summary>
    private static BigInteger RoundTo(BigInteger number, BigInteger unit)
    {
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(number), unit, out BigInteger rest);
        int half = (rest * 2).CompareTo(unit);
        if (half > 0 || (half == 0 && !quotient.IsEven))
            quotient++;
        return quotient * unit * number.Sign;
    }

    private static TextValue FileSize(BuiltinArguments arguments)
    {
        double bytes = arguments[0] is TextValue text
            ? PythonNumbers.ParseFloat(text.Text) ?? throw arguments.Wrong(0, "a number")
            : Numbers.TryFloat(arguments[0], out double number) ? number : throw arguments.Wrong(0, "a number");
        bool isBinary = arguments.IsTrue(1);
        double unit = isBinary ? 1024 : 1000;
        if (bytes == 1)
            return new TextValue("1 Byte");
        if (bytes < unit)
            return new TextValue(bytes.ToString("F0", CultureInfo.InvariantCulture) + " Bytes");
        string[] names = isBinary ? BinaryUnits : DecimalUnits;
        int at = 0;
        for (bytes /= unit; bytes >= unit && at < names.Length - 1; at++)
            bytes /= unit;
        return new TextValue($"{PythonNumbers.Fixed(bytes, 1)} {names[at]}");
    }
}
