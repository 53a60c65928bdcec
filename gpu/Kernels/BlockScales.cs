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
    /// <summary>The scales of block <paramref name="block"/> of all blocks of the matrix.</summary>
    Scales32 Load(WeightView weights, long block);
}

/// <summary>A half: <c>x = d · q</c>.</summary>
internal readonly struct HalfScale : IBlockScales
{
    public Scales32 Load(WeightView weights, long block)
    {
        float d = Halves.Widen(weights.Scales[block]);
        return new(d, d, 0);
    }
}

/// <summary>A half of codes whose zero is 8: <c>x = d · (q - 8)</c>.</summary>
internal readonly struct HalfScaleOfEight : IBlockScales
{
    public Scales32 Load(WeightView weights, long block)
    {
        float d = Halves.Widen(weights.Scales[block]);
        return new(d, d, d * 8);
    }
}

/// <summary>Halves as they lie in memory.</summary>
internal static class Halves
{
    internal static float Widen(ushort bits) => Interop.IntAsFloat(bits);
}
