namespace Pure.Engine.Quantization;

/// <summary>
/// 32 floats of 4 bits (sign, 2 bits of exponent, 1 of mantissa) with a power of two as scale (OCP Microscaling Formats 1.0,
/// MXFP4): <c>x = 2^(e - 127) · float4(q)</c>, written with whole numbers as <c>2^(e - 128) · value[q]</c>.
/// <code>
/// byte   0    1                                17
///        | e  | 16 bytes                      |   byte j: low nibble q[j], high nibble q[j + 16]
/// </code>
/// A negative zero reads as zero, and e = 255, which the specification calls NaN, as 2^128, as in ggml.
/// </summary>
internal readonly unsafe struct MXFP4 : IQuantizedFormat
{
    private const int QuantsAt = 1;

    public static ElementType Type => ElementType.MXFP4;

    public static int BlockSize => 32;

    public static int BlockBytes => 17;

    /// <summary>Twice the sixteen floats.</summary>
    internal static ReadOnlySpan<sbyte> Values => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
            NamedValues.Dequantize(source + QuantsAt, Values, Scale(*source), destination + start);
    }

    /// <inheritdoc/>
    /// <remarks>|isum| ≤ 32 · 12 · 127 &lt; 2^24: its float is exact.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes, quants += BlockSize)
        {
            int isum = NamedValues.Sum(row + QuantsAt, Values, quants);
            acc = MathF.FusedMultiplyAdd(isum, Scale(*row) * scales[block], acc);
        }

        return acc;
    }

    /// <summary>2^(e - 128), exactly: the two least are denormal.</summary>
    internal static float Scale(byte e) => BitConverter.UInt32BitsToSingle(e < 2 ? 0x0020_0000u << e : (uint)(e - 1) << 23);
}
