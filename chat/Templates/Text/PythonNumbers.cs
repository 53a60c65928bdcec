using System.Globalization;
using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>Numbers as Python writes and reads them.</summary>
internal static class PythonNumbers
{
    /// <summary>Digits of a number in a text; longer ones are refused.</summary>
    private const int MostDigits = 2400;

    internal static string Text(BigInteger number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary><c>repr(float)</c>: the shortest digits that read back as the same number, with an exponent below 1e-4 and from 1e16.</summary>
    internal static string Text(double number)
    {
        if (double.IsNaN(number))
            return "nan";
        if (double.IsInfinity(number))
            return number > 0 ? "inf" : "-inf";
        if (number == 0)
            return double.IsNegative(number) ? "-0.0" : "0.0";
        (string digits, int exponent) = Digits(number);
        string sign = number < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        return digits.Length <= exponent + 1
            ? $"{sign}{digits.PadRight(exponent + 1, '0')}.0"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary><c>int(text, radix)</c>, with radix 0 for literals; null where it is no number.</summary>
    internal static BigInteger? ParseInteger(string text, int radix)
    {
        string digits = PythonText.Strip(text);
        bool isNegative = digits.StartsWith('-');
        if (digits.StartsWith('-') || digits.StartsWith('+'))
            digits = digits[1..];
        if (digits.Length > 1 && digits[0] == '0')
        {
            int named = char.ToLowerInvariant(digits[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 };
            if (named != 0 && (radix == 0 || radix == named))
            {
                radix = named;
                digits = digits[2..];
                digits = digits.StartsWith('_') ? digits[1..] : digits;
            }
        }

        radix = radix == 0 ? 10 : radix;
        if (digits.Length == 0 || digits[0] == '_' || digits[^1] == '_' || digits.Contains("__", StringComparison.Ordinal))
            return null;
        if (digits.Length > MostDigits)
            throw IntegerValue.TooLarge();
        BigInteger value = BigInteger.Zero;
        foreach (char letter in digits)
        {
            if (letter == '_')
                continue;
            int digit = char.IsAsciiLetter(letter) ? char.ToLowerInvariant(letter) - 'a' + 10
                : char.IsDigit(letter) ? (int)char.GetNumericValue(letter) : 99;
            if (digit >= radix)
                return null;
            value = (value * radix) + digit;
        }

        return isNegative ? -value : value;
    }

    /// <summary><c>float(text)</c>; null where it is no number.</summary>
    internal static double? ParseFloat(string text)
    {
        string digits = PythonText.Strip(text);
        switch (digits.TrimStart('+', '-').ToLowerInvariant())
        {
            case "inf" or "infinity":
                return digits.StartsWith('-') ? double.NegativeInfinity : double.PositiveInfinity;
            case "nan":
                return double.NaN;
        }

        if (digits.Length == 0 || digits[0] == '_' || digits[^1] == '_' || digits.Contains("__", StringComparison.Ordinal))
            return null;
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(digits.Replace("_", "", StringComparison.Ordinal), Style, CultureInfo.InvariantCulture, out double value)
            ? value
            : null;
    }

    /// <summary>
    /// A number times a power of ten, rounded to a whole number, ties to even: exact, as Python's <c>round</c> and <c>%f</c> are.
    /// </summary>
    internal static BigInteger Scale(double number, int decimals)
    {
        long bits = BitConverter.DoubleToInt64Bits(number);
        int exponent = (int)((bits >> 52) & 0x7FF);
        BigInteger mantissa = (bits & 0xFFFFFFFFFFFFF) | (exponent == 0 ? 0 : 1L << 52);
        exponent = Math.Max(exponent, 1) - 1075;
        BigInteger numerator = mantissa * BigInteger.Pow(10, Math.Max(decimals, 0)) << Math.Max(exponent, 0);
        BigInteger denominator = BigInteger.Pow(10, Math.Max(-decimals, 0)) << Math.Max(-exponent, 0);
        BigInteger quotient = BigInteger.DivRem(numerator, denominator, out BigInteger rest);
        int half = (rest * 2).CompareTo(denominator);
        if (half > 0 || (half == 0 && !quotient.IsEven))
            quotient++;
        return double.IsNegative(number) ? -quotient : quotient;
    }

    /// <summary><c>'%.nf'</c></summary>
    internal static string Fixed(double number, int decimals)
    {
        if (!double.IsFinite(number))
            return Text(number);
        string digits = BigInteger.Abs(Scale(number, decimals)).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        string sign = double.IsNegative(number) ? "-" : "";
        return decimals == 0 ? sign + digits : $"{sign}{digits[..^decimals]}.{digits[^decimals..]}";
    }

    /// <summary><c>'%.ne'</c></summary>
    internal static string Exponential(double number, int decimals)
    {
        if (!double.IsFinite(number))
            return Text(number);
        string text = number.ToString("e" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        int at = text.IndexOf('e', StringComparison.Ordinal);
        int exponent = int.Parse(text.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return $"{text[..at]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    /// <summary><c>'%.ng'</c></summary>
    internal static string General(double number, int digits, bool keepZeros = false)
    {
        if (!double.IsFinite(number))
            return Text(number);
        digits = Math.Max(digits, 1);
        string exponential = Exponential(number, digits - 1);
        int at = exponential.IndexOf('e', StringComparison.Ordinal);
        int exponent = int.Parse(exponential.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (exponent < -4 || exponent >= digits)
            return (keepZeros ? exponential[..at] : WithoutZeros(exponential[..at])) + exponential[at..];
        string text = Fixed(number, digits - 1 - exponent);
        return keepZeros ? text : WithoutZeros(text);
    }

    private static string WithoutZeros(string text) => text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;

    /// <summary>The shortest digits and the exponent of the first one.</summary>
    private static (string Digits, int Exponent) Digits(double number)
    {
        string shortest = Math.Abs(number).ToString("R", CultureInfo.InvariantCulture);
        int at = shortest.IndexOf('E', StringComparison.Ordinal);
        int exponent = at < 0 ? 0 : int.Parse(shortest.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = at < 0 ? shortest : shortest[..at];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        string significant = digits.TrimStart('0');
        exponent += (point < 0 ? digits.Length : point) - 1 - (digits.Length - significant.Length);
        return (significant.TrimEnd('0'), exponent);
    }
}
