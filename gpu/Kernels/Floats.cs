using Pure.Engine.Kernels;

namespace Pure.Gpu.Kernels;

/// <summary>
/// What a thread of an elementwise kernel reads at once. Rows that begin on 16 bytes and end there are read as <see cref="Four"/>,
/// others as <see cref="One"/>; columns and strides of such a kernel count these, not floats.
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

/// <summary>One float.</summary>
internal readonly struct One(float value) : IFloats<One>
{
    internal readonly float Value = value;

    public static One Multiply(One x, One y) => new(x.Value * y.Value);

    public static One Multiply(float factor, One x) => new(factor * x.Value);

    public static One AddScaled(float factor, One x, One y) => new(MathF.FusedMultiplyAdd(factor, x.Value, y.Value));

    public static One Divide(One x, float divisor) => new(x.Value / divisor);

    public static One Gate<TActivation>(One gate, One up)
        where TActivation : struct, IActivation => new(TActivation.Gate(gate.Value, up.Value));

    public static float AddSquares(One x, float sum) => MathF.FusedMultiplyAdd(x.Value, x.Value, sum);
}

/// <summary>Four floats, 16 bytes, which a thread loads and stores in one instruction.</summary>
internal readonly struct Four(float x, float y, float z, float w) : IFloats<Four>
{
    /// <summary>Floats in one.</summary>
    internal const int Count = 4;

    internal readonly float X = x;
    internal readonly float Y = y;
    internal readonly float Z = z;
    internal readonly float W = w;

    public static Four Multiply(Four x, Four y) => new(x.X * y.X, x.Y * y.Y, x.Z * y.Z, x.W * y.W);

    public static Four Multiply(float factor, Four x) => new(factor * x.X, factor * x.Y, factor * x.Z, factor * x.W);

    public static Four AddScaled(float factor, Four x, Four y) => new(
        MathF.FusedMultiplyAdd(factor, x.X, y.X),
        MathF.FusedMultiplyAdd(factor, x.Y, y.Y),
        MathF.FusedMultiplyAdd(factor, x.Z, y.Z),
        MathF.FusedMultiplyAdd(factor, x.W, y.W));

    public static Four Divide(Four x, float divisor) => new(x.X / divisor, x.Y / divisor, x.Z / divisor, x.W / divisor);

    public static Four Gate<TActivation>(Four gate, Four up)
        where TActivation : struct, IActivation => new(
            TActivation.Gate(gate.X, up.X), TActivation.Gate(gate.Y, up.Y), TActivation.Gate(gate.Z, up.Z), TActivation.Gate(gate.W, up.W));

    public static float AddSquares(Four x, float sum)
    {
        sum = MathF.FusedMultiplyAdd(x.X, x.X, sum);
        sum = MathF.FusedMultiplyAdd(x.Y, x.Y, sum);
        sum = MathF.FusedMultiplyAdd(x.Z, x.Z, sum);
        return MathF.FusedMultiplyAdd(x.W, x.W, sum);
    }
}
