using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary><c>none</c></summary>
internal sealed class NoneValue : Value
{
    internal static readonly NoneValue Instance = new();

    private NoneValue()
    {
    }

    internal override string TypeName => "NoneType";

    internal override bool IsTrue => false;

    internal override void WriteRepr(PythonWriter writer) => writer.Raw("None");
}

/// <summary>
/// What a missing variable or attribute is: false, empty, printed as nothing, and an error in almost any other use.
/// <paramref name="problem"/> is what the error says.
/// </summary>
internal sealed class UndefinedValue(string problem) : Value
{
    internal string Problem => problem;

    internal override string TypeName => "Undefined";

    internal override bool IsTrue => false;

    internal override long? Length => 0;

    internal override IEnumerable<Value> Iterate(Budget budget) => [];

    internal override void WriteRepr(PythonWriter writer) => writer.Raw("Undefined");

    internal override void WriteText(PythonWriter writer)
    {
    }
}

/// <summary><c>true</c> or <c>false</c>, which are also the numbers 1 and 0.</summary>
internal sealed class BooleanValue : Value
{
    internal static readonly BooleanValue True = new(true);
    internal static readonly BooleanValue False = new(false);

    private BooleanValue(bool value) => IsTrue = value;

    internal override string TypeName => "bool";

    internal override bool IsTrue { get; }

    internal static BooleanValue Of(bool value) => value ? True : False;

    internal override void WriteRepr(PythonWriter writer) => writer.Raw(IsTrue ? "True" : "False");
}

/// <summary>A whole number without bounds but those of <see cref="MostBits"/>.</summary>
internal sealed class IntegerValue : Value
{
    /// <summary>Larger numbers are refused: no prompt needs them, and arithmetic with them takes time and memory.</summary>
    internal const int MostBits = 8192;

    private static readonly IntegerValue[] Small = [.. Enumerable.Range(-1, 258).Select(value => new IntegerValue(value))];

    private IntegerValue(BigInteger value) => Number = value;

    internal BigInteger Number { get; }

    internal override string TypeName => "int";

    internal override bool IsTrue => !Number.IsZero;

    internal static IntegerValue Of(long value) => value is >= -1 and <= 256 ? Small[value + 1] : new IntegerValue(value);

    internal static IntegerValue Of(BigInteger value)
    {
        if (value >= -1 && value <= 256)
            return Small[(int)value + 1];
        return value.GetBitLength() <= MostBits ? new IntegerValue(value) : throw TooLarge();
    }

    internal static Fault TooLarge() => new($"a number has more than {MostBits} bits");

    internal override Value? Attribute(string name) => NumberMethods.Table.Bind(name, this);

    internal override void WriteRepr(PythonWriter writer) => writer.Raw(PythonNumbers.Text(Number));
}

/// <summary>A floating number.</summary>
internal sealed class FloatValue(double number) : Value
{
    internal double Number => number;

    internal override string TypeName => "float";

    internal override bool IsTrue => number != 0;

    internal override Value? Attribute(string name) => NumberMethods.Table.Bind(name, this);

    internal override void WriteRepr(PythonWriter writer) => writer.Raw(PythonNumbers.Text(number));
}
