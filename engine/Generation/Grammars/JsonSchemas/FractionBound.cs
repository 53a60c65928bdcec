namespace Pure.Engine.Generation.Grammars.JsonSchemas;

/// <summary>A bound of a number's fraction, where the digits before the point are those of the bound.</summary>
/// <param name="Digits">The digits after the point; no zeros at the end.</param>
/// <param name="IsExcluded">Whether the bound itself is outside.</param>
internal readonly record struct FractionBound(string Digits, bool IsExcluded)
{
    /// <summary>The point and the digits after it, or nothing, between bounds; <see langword="null"/> for none.</summary>
    /// <param name="low">The lower bound.</param>
    /// <param name="high">The upper bound.</param>
    /// <param name="most">Most digits.</param>
    internal static Expression Fraction(FractionBound? low, FractionBound? high, int most)
    {
        Expression digits = Expression.Sequence(Expression.Text("."), Tail(low, high, most, mayStop: false));
        return MayStop(low, high) ? Expression.Optional(digits) : digits;
    }

    private static bool MayStop(FractionBound? low, FractionBound? high) =>
        low is null or { Digits: "", IsExcluded: false } && high is null or not { Digits: "", IsExcluded: true };

    /// <summary>Digit for digit: above a bound's digit, or below, the bound is met whatever follows.</summary>
    private static Expression Tail(FractionBound? low, FractionBound? high, int most, bool mayStop)
    {
        if (low is { Digits: "", IsExcluded: false })
            low = null;
        if (low is null && high is null)
            return Expression.Repeat(JsonText.Digit, mayStop ? 0 : 1, most);
        var options = new List<Expression>();
        if (mayStop && MayStop(low, high))
            options.Add(Expression.Empty);
        for (int digit = 0; digit <= 9 && most > 0; digit++)
        {
            if (digit < low?.First || digit > high?.First)
                continue;
            options.Add(Expression.Sequence(
                Expression.Bytes(ByteSet.Range('0' + digit, '0' + digit)),
                Tail(digit == low?.First ? low?.Rest : null, digit == high?.First ? high?.Rest : null, most - 1, mayStop: true)));
        }

        return Expression.Any(options);
    }

    private int First => Digits.Length == 0 ? 0 : Digits[0] - '0';

    private FractionBound Rest => this with { Digits = Digits.Length == 0 ? "" : Digits[1..] };
}
