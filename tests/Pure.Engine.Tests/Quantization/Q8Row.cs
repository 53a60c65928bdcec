using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Quantization;

/// <summary>A row of activations at 8 bits, as the scalar definition makes it.</summary>
internal sealed unsafe class Q8Row
{
    public Q8Row(ReadOnlySpan<float> x)
    {
        Quants = new sbyte[x.Length];
        Scales = new float[x.Length / Q8Activations.BlockSize];
        Sums = new int[x.Length / Q8Activations.BlockSize];
        fixed (float* values = x, scales = Scales)
        fixed (sbyte* quants = Quants)
        fixed (int* sums = Sums)
            Q8Activations.Quantize(values, x.Length, quants, scales, sums);
    }

    public sbyte[] Quants { get; }

    public float[] Scales { get; }

    public int[] Sums { get; }

    /// <summary>The value of one element, in float64, where it is exact.</summary>
    public double this[int i] => Quants[i] * (double)Scales[i / Q8Activations.BlockSize];

    /// <summary>The product with a row of weights by the definition of its type.</summary>
    public float Dot<T>(ReadOnlySpan<byte> row)
        where T : IQuantizedFormat
    {
        fixed (byte* weights = row)
        fixed (sbyte* quants = Quants)
        fixed (float* scales = Scales)
        fixed (int* sums = Sums)
            return T.Dot(weights, quants, scales, sums, Quants.Length);
    }
}
