using System.Globalization;
using System.Numerics;

namespace Pure.Engine.Generation.Grammars.JsonSchemas;

/// <summary>The numbers between two bounds, and how they are written.</summary>
/// <param name="Least">The lower bound, if there is one.</param>
/// <param name="LeastExcluded">Whether the lower bound itself is outside.</param>
/// <param name="Most">The upper bound, if there is one.</param>
/// <param name="MostExcluded">Whether the upper bound itself is outside.</param>
internal readonly record struct NumberRange(decimal? Least, bool LeastExcluded, decimal? Most, bool MostExcluded)
{
    private const int MostMultiples = 1000;
    private const int LargestFactor = 100;
    private static readonly BigInteger LargestInteger = BigInteger.Pow(10, JsonText.MostDigits) - 1;

    /// <summary>Whether there is no bound.</summary>
    internal bool IsEverything => Least is null && Most is null;

    /// <summary>Whether a number lies in it.</summary>
    internal bool Contains(decimal number) =>
        !(number < Least || (LeastExcluded && number == Least) || number > Most || (MostExcluded && number == Most));

    /// <summary>Whether no number lies in both.</summary>
    internal bool IsApartFrom(NumberRange other) => IsBelow(this, other) || IsBelow(other, this);

    /// <summary>The numbers in both.</summary>
    internal NumberRange And(NumberRange other)
    {
        NumberRange both = this;
        if (other.Least is { } least && (both.Least is null || least > both.Least || (least == both.Least && other.LeastExcluded)))
            both = both with { Least = least, LeastExcluded = other.LeastExcluded };
        if (other.Most is { } most && (both.Most is null || most < both.Most || (most == both.Most && other.MostExcluded)))
            both = both with { Most = most, MostExcluded = other.MostExcluded };
        return both;
    }

    /// <summary>The integers in it.</summary>
    internal Expression Integers()
    {
        if (IsEverything)
            return JsonText.Integer;
        (BigInteger? least, BigInteger? most) = IntegerBounds();
        BigInteger low = least ?? BigInteger.Min(-LargestInteger, most!.Value * 10);
        BigInteger high = most ?? BigInteger.Max(LargestInteger, least!.Value * 10);
        return low > high ? Expression.None : Integers(low, high);
    }

    /// <summary>The multiples of a factor in it; <see langword="null"/> where they are neither few nor all.</summary>
    internal Expression? Multiples(long factor, Func<string, Rule> newRule)
    {
        (BigInteger? least, BigInteger? most) = IntegerBounds();
        if (least is { } low && most is { } high)
        {
            BigInteger first = Floor(low + factor - 1, factor);
            BigInteger last = Floor(high, factor);
            return first > last ? Expression.None
                : last - first >= MostMultiples ? null
                : Expression.Any([.. Enumerable.Range(0, (int)(last - first) + 1).Select(at => Expression.Text($"{(first + at) * factor}"))]);
        }

        if (most is not null || (least is not null && !least.Value.IsZero) || factor > LargestFactor)
            return null;
        Expression positive = ByRemainder(factor, newRule);
        return least is null ? Expression.Sequence(Expression.Optional(Expression.Text("-")), positive) : positive;
    }

    /// <summary>The numbers in it, with so few digits that none is rounded past a bound.</summary>
    internal Expression Numbers()
    {
        if (IsEverything)
            return JsonText.Number;
        var options = new List<Expression>();
        if (!(Most < 0))
            options.Add(Positive(Least is > 0 ? Least : null, Least is >= 0 && LeastExcluded, Most, MostExcluded));
        if (!(Least >= 0))
        {
            decimal? least = Most is < 0 ? -Most : null;
            options.Add(Expression.Sequence(
                Expression.Text("-"), Positive(least, Most is <= 0 && MostExcluded, -Least, LeastExcluded)));
        }

        return Expression.Any(options);
    }

    private static bool IsBelow(NumberRange one, NumberRange other) =>
        one.Most is { } most && other.Least is { } least && (most < least || (most == least && (one.MostExcluded || other.LeastExcluded)));

    private static BigInteger Floor(BigInteger number, long factor)
    {
        var quotient = BigInteger.DivRem(number, factor, out BigInteger remainder);
        return remainder < 0 ? quotient - 1 : quotient;
    }

    private (BigInteger? Least, BigInteger? Most) IntegerBounds()
    {
        BigInteger? least = Least is { } low ? new BigInteger(decimal.Ceiling(low)) : null;
        if (LeastExcluded && Least == decimal.Ceiling(Least!.Value))
            least++;
        BigInteger? most = Most is { } high ? new BigInteger(decimal.Floor(high)) : null;
        if (MostExcluded && Most == decimal.Floor(Most!.Value))
            most--;
        return (least, most);
    }

    private static Expression Integers(BigInteger low, BigInteger high)
    {
        var options = new List<Expression>();
        if (low < 0)
            options.Add(Expression.Sequence(Expression.Text("-"), Natural(BigInteger.Max(1, -high), -low)));
        if (high >= 0)
            options.Add(Natural(BigInteger.Max(0, low), high));
        return Expression.Any(options);
    }

    /// <summary>The natural numbers from one to another, by their number of digits.</summary>
    private static Expression Natural(BigInteger low, BigInteger high)
    {
        string first = Spell(low);
        string last = Spell(high);
        var options = new List<Expression>();
        for (int digits = first.Length; digits <= last.Length; digits++)
        {
            options.Add(SameLength(
                digits == first.Length ? first : "1" + new string('0', digits - 1),
                digits == last.Length ? last : new string('9', digits)));
        }

        return Expression.Any(options);
    }

    private static Expression SameLength(string low, string high)
    {
        if (low.All(digit => digit == '0') && high.All(digit => digit == '9'))
            return Expression.Repeat(JsonText.Digit, low.Length, low.Length);
        if (low[0] == high[0])
            return Expression.Sequence(Digits(low[0], low[0]), SameLength(low[1..], high[1..]));
        int rest = low.Length - 1;
        var options = new List<Expression>
        {
            Expression.Sequence(Digits(low[0], low[0]), SameLength(low[1..], new string('9', rest))),
            Expression.Sequence(Digits(high[0], high[0]), SameLength(new string('0', rest), high[1..])),
        };
        if (low[0] + 1 < high[0])
            options.Add(Expression.Sequence(Digits(low[0] + 1, high[0] - 1), Expression.Repeat(JsonText.Digit, rest, rest)));
        return Expression.Any(options);
    }

    /// <summary>Numbers without a sign from one bound to another.</summary>
    private static Expression Positive(decimal? least, bool leastExcluded, decimal? most, bool mostExcluded)
    {
        if (least > most)
            return Expression.None;
        (string low, string lowFraction) = Split(least ?? 0);
        (string high, string highFraction) = most is { } bound ? Split(bound) : (Spell(BigInteger.Max(LargestInteger, BigInteger.Parse(low, CultureInfo.InvariantCulture) * 10)), "");
        int digits = Math.Clamp(JsonText.MostDigits - (most is null ? low : high).Length, 1, JsonText.MostFractionDigits);
        digits = Math.Max(digits, Math.Max(lowFraction.Length, highFraction.Length));
        var lower = new FractionBound(lowFraction, leastExcluded);
        var upper = new FractionBound(highFraction, mostExcluded);
        if (low == high)
            return Expression.Sequence(Expression.Text(low), FractionBound.Fraction(lower, upper, digits));

        BigInteger first = BigInteger.Parse(low, CultureInfo.InvariantCulture);
        BigInteger last = BigInteger.Parse(high, CultureInfo.InvariantCulture);
        var options = new List<Expression>
        {
            Expression.Sequence(Expression.Text(low), FractionBound.Fraction(lower, null, digits)),
            Expression.Sequence(Expression.Text(high), FractionBound.Fraction(null, upper, digits)),
        };
        if (first + 1 < last)
            options.Add(Expression.Sequence(Natural(first + 1, last - 1), FractionBound.Fraction(null, null, digits)));
        return Expression.Any(options);
    }

    private static (string Digits, string Fraction) Split(decimal number)
    {
        string[] parts = number.ToString(CultureInfo.InvariantCulture).Split('.');
        return (parts[0], parts.Length > 1 ? parts[1].TrimEnd('0') : "");
    }

    private static string Spell(BigInteger number) => number.ToString(CultureInfo.InvariantCulture);

    private static Expression Digits(int first, int last) => Expression.Bytes(ByteSet.Range(first, last));

    /// <summary>Natural numbers by the remainder of the digits so far, one rule for each, and by their length.</summary>
    private static Expression ByRemainder(long factor, Func<string, Rule> newRule)
    {
        int count = (int)factor;
        Expression?[] shorter = new Expression?[count]; // after a remainder, so many more digits at most
        for (int length = 0; length < JsonText.MostDigits; length++)
        {
            Expression?[] longer = new Expression?[count];
            for (int remainder = 0; remainder < count; remainder++)
            {
                var options = new List<Expression>();
                if (remainder == 0)
                    options.Add(Expression.Empty);
                for (int digit = 0; digit <= 9 && length > 0; digit++)
                    options.Add(Expression.Sequence(Digits('0' + digit, '0' + digit), shorter[((remainder * 10) + digit) % count]!));
                Rule rule = newRule("multiple");
                rule.Definition = Expression.Any(options);
                longer[remainder] = new Expression.Reference(rule);
            }

            shorter = longer;
        }

        return Expression.Any(
            [Expression.Text("0"), .. Enumerable.Range(1, 9).Select(digit => Expression.Sequence(Digits('0' + digit, '0' + digit), shorter[digit % count]!))]);
    }
}
