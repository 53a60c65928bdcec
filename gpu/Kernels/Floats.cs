using Pure.Engine.Kernels;

namespace Pure.Gpu.Kernels;

/// <summary>
/// What a thread of an elementwise kernel reads at once. Rows that begin on 16 bytes and end there are read as <see cref="FourFloats"/>,
/// others as <see cref="OneFloat"/>; columns and strides of such a kernel count these, not floats.
/// </summary>
internal interface IFloats<TSelf>
    where TSelf : unmanaged, IFloats<TSelf>
{
    /// <summary>x · y.</summary>
    static abstract TSelf Multiply(TSelf x, TSelf y);

    /// <summary>factor · x.</summary>
    static abstract TSelf Multiply(float factor, TSelf x);

    /// <summary>fma(factor, x, y).</summary>
    static abstract TSelf AddScaled(float factor, TSelf x, TSelf y);

    /// <summary>x / divisor.</summary>
    static abstract TSelf Divide(TSelf x, float divisor);

    /// <summary>activation(gate) · up.</summary>
    static abstract TSelf Gate<TActivation>(TSelf gate, TSelf up)
        where TActivation : struct, IActivation;

    /// <summary>sum + x · x, column after column.</summary>
    static abstract float AddSquares(TSelf x, float sum);
}

/// <summary>A gated unit, as <see cref="GateActivation"/> names them.</summary>
internal interface IActivation
{
    /// <summary>activation(gate) · up.</summary>
    static abstract float Gate(float gate, float up);
}

/// <summary>Four bytes.</summary>
internal struct OneFloat : IFloats<OneFloat>
{
    internal float Value;

    public static OneFloat Multiply(OneFloat x, OneFloat y) => new() { Value = x.Value * y.Value };

    public static OneFloat Multiply(float factor, OneFloat x) => new() { Value = factor * x.Value };

    public static OneFloat AddScaled(float factor, OneFloat x, OneFloat y) =>
        new() { Value = MathF.FusedMultiplyAdd(factor, x.Value, y.Value) };

    public static OneFloat Divide(OneFloat x, float divisor) => new() { Value = x.Value / divisor };

    public static OneFloat Gate<TActivation>(OneFloat gate, OneFloat up)
        where TActivation : struct, IActivation => new() { Value = TActivation.Gate(gate.Value, up.Value) };

    public static float AddSquares(OneFloat x, float sum) => MathF.FusedMultiplyAdd(x.Value, x.Value, sum);
}

/// <summary>Sixteen bytes, which a thread loads and stores in one instruction.</summary>
internal struct FourFloats : IFloats<FourFloats>
{
    /// <summary>Floats in one.</summary>
    internal const int Count = 4;

    internal float A;
    internal float B;
    internal float C;
    internal float D;

    public static FourFloats Multiply(FourFloats x, FourFloats y) =>
        new() { A = x.A * y.A, B = x.B * y.B, C = x.C * y.C, D = x.D * y.D };

    public static FourFloats Multiply(float factor, FourFloats x) =>
        new() { A = factor * x.A, B = factor * x.B, C = factor * x.C, D = factor * x.D };

    public static FourFloats AddScaled(float factor, FourFloats x, FourFloats y) => new()
    {
        A = MathF.FusedMultiplyAdd(factor, x.A, y.A),
        B = MathF.FusedMultiplyAdd(factor, x.B, y.B),
        C = MathF.FusedMultiplyAdd(factor, x.C, y.C),
        D = MathF.FusedMultiplyAdd(factor, x.D, y.D),
    };

    public static FourFloats Divide(FourFloats x, float divisor) =>
        new() { A = x.A / divisor, B = x.B / divisor, C = x.C / divisor, D = x.D / divisor };

    public static FourFloats Gate<TActivation>(FourFloats gate, FourFloats up)
        where TActivation : struct, IActivation => new()
        {
            A = TActivation.Gate(gate.A, up.A),
            B = TActivation.Gate(gate.B, up.B),
            C = TActivation.Gate(gate.C, up.C),
            D = TActivation.Gate(gate.D, up.D),
        };

    public static float AddSquares(FourFloats x, float sum)
    {
        sum = MathF.FusedMultiplyAdd(x.A, x.A, sum);
        sum = MathF.FusedMultiplyAdd(x.B, x.B, sum);
        sum = MathF.FusedMultiplyAdd(x.C, x.C, sum);
        return MathF.FusedMultiplyAdd(x.D, x.D, sum);
    }
}
