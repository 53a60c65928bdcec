using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>Values as numbers: whole ones (true and false among them) and floating ones.</summary>
internal static class Numbers
{
    internal static bool TryInteger([NotNullWhen(true)] Value? value, out BigInteger number)
    {
        switch (value)
        {
            case IntegerValue integer:
                number = integer.Number;
                return true;
            case BooleanValue boolean:
                number = boolean.IsTrue ? BigInteger.One : BigInteger.Zero;
                return true;
            default:
                number = default;
                return false;
        }
    }

    /// <summary>A whole number as a position; what is too large for one is out of every range.</summary>
    internal static bool TryIndex(Value value, out long index)
    {
        bool isInteger = TryInteger(value, out BigInteger number);
        index = Clamp(number);
        return isInteger;
    }

    /// <summary>Any number, as a floating one.</summary>
    internal static bool TryFloat(Value value, out double number)
    {
        if (TryInteger(value, out BigInteger integer))
        {
            number = ToFloat(integer);
            return true;
        }

        number = value is FloatValue floating ? floating.Number : 0;
        return value is FloatValue;
    }

    internal static bool IsNumber(Value value) => value is IntegerValue or BooleanValue or FloatValue;

    /// <exception cref="Fault">It is beyond what a floating number can hold.</exception>
    internal static double ToFloat(BigInteger integer)
    {
        double number = (double)integer;
        return double.IsFinite(number) ? number : throw new Fault("a whole number is too large for a floating one");
    }

    /// <summary>The floating number without its fraction.</summary>
    /// <exception cref="Fault">It is not finite.</exception>
    internal static IntegerValue Truncate(double number) =>
        double.IsFinite(number) ? IntegerValue.Of(new BigInteger(number)) : throw new Fault("an infinite number, or one that is none, is no whole one");

    internal static int Clamp(BigInteger number) =>
        number > int.MaxValue ? int.MaxValue : number < -int.MaxValue ? -int.MaxValue : (int)number;

    /// <summary>Counts a negative index from the end; whether it is in range.</summary>
    internal static bool InRange(ref long index, long count)
    {
        if (index < 0)
            index += count;
        return index >= 0 && index < count;
    }
}
