using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>
/// What 32 codes mean: <c>x = scale · code - min</c>, with a scale for the first sixteen and one for the others.
/// </summary>
internal readonly struct Scales32(float low, float high, float min)
{
    internal readonly float Low = low;
    internal readonly float High = high;
    internal readonly float Min = min;
}

/// <summary>How scales lie in <see cref="WeightView.Scales"/> and <see cref="WeightView.Supers"/>.</summary>
internal interface IBlockScales
{
    /// <summary>Whether the halves of a block have scales of their own.</summary>
    bool HasPair { get; }

    /// <summary>Whether the least value is not zero.</summary>
    bool HasMin { get; }

    /// <summary>The scales of block <paramref name="block"/> of all blocks of the matrix.</summary>
    Scales32 Load(WeightView weights, long block);
}

/// <summary>A half: <c>x = d · q</c>.</summary>
internal readonly struct HalfScale : IBlockScales
{
    public bool HasPair => false;

    public bool HasMin => false;

    public Scales32 Load(WeightView weights, long block)
    {
        float d = Halves.Widen(weights.Scales[block]);
        return new(d, d, 0);
    }
}

/// <summary>A half of codes whose zero is 8: <c>x = d · (q - 8)</c>.</summary>
internal readonly struct HalfScaleOfEight : IBlockScales
{
    public bool HasPair => false;

    public bool HasMin => true;

    public Scales32 Load(WeightView weights, long block)
    {
        float d = Halves.Widen(weights.Scales[block]);
        return new(d, d, d * 8);
    }
}

/// <summary>Eight bits of exponent: <c>x = 2^(e - 128) · q</c>.</summary>
internal readonly struct PowerOfTwoScale : IBlockScales
{
    public bool HasPair => false;

    public bool HasMin => false;

    public Scales32 Load(WeightView weights, long block)
    {
        // The two least are denormal.
        int e = weights.Scales[block];
        float d = Interop.IntAsFloat(e < 2 ? 0x0020_0000u << e : (uint)(e - 1) << 23);
        return new(d, d, 0);
    }
}

/// <summary>
/// Scale and minimum of eight bits each, times the halves of a super-block of eight: <c>x = (d · scale) · q - dmin · min</c>. The lower bits of
/// both words belong to the scale.
/// </summary>
internal readonly struct SuperScaleAndMin : IBlockScales
{
    public bool HasPair => false;

    public bool HasMin => true;

    public Scales32 Load(WeightView weights, long block)
    {
        int scales = weights.Scales[block];
        int super = weights.Supers[block >> 3];
        float d = Halves.Widen((ushort)super) * (scales & 0xFF);
        return new(d, d, Halves.Widen((ushort)(super >>> 16)) * (scales >> 8));
    }
}

/// <summary>Two signed scales of eight bits, each for sixteen weights, times the half of a super-block of eight: <c>x = (d · scale) · q</c>.</summary>
internal readonly struct SuperScalePair : IBlockScales
{
    public bool HasPair => true;

    public bool HasMin => false;

    public Scales32 Load(WeightView weights, long block)
    {
        int scales = weights.Scales[block];
        float d = Halves.Widen((ushort)weights.Supers[block >> 3]);
        return new(d * (sbyte)scales, d * (sbyte)(scales >> 8), 0);
    }
}

/// <summary>Halves as they lie in memory.</summary>
internal static class Halves
{
    internal static float Widen(ushort bits) => Interop.IntAsFloat(bits);
}
