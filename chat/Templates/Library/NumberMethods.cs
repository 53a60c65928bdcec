namespace Pure.Chat.Templates;

/// <summary>The methods of numbers.</summary>
internal static class NumberMethods
{
    internal static readonly FunctionTable Table = new(
        new Builtin("is_integer", "self", (a, _) => BooleanValue.Of(a[0] is not FloatValue { Number: var number } || double.IsInteger(number))),
        new Builtin("bit_length", "self", (a, _) => IntegerValue.Of(
            System.Numerics.BigInteger.Abs(a.Integer(0)) is var size && size.IsZero ? 0 : size.GetBitLength())));
}
