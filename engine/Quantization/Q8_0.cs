namespace Pure.Engine.Quantization;

/// <summary>
/// 32 elements at 8 bits with one scale: <c>x = q · d</c>.
/// <code>
/// byte   0      2                                34
///        | d f16 | q[0] q[1] … q[31]  int8       |
/// </code>
/// </summary>
internal readonly unsafe struct Q8_0 : IQuantizedFormat
{
    private const int QuantsAt = 2;

    public static ElementType Type => ElementType.Q8_0;

    public static int BlockSize => 32;

    public static int BlockBytes => 34;

    /// <summary>
    /// <c>d = max |x| / 127</c>, <c>q = round(x · (1 / d))</c>, halves away from zero (quantize_row_q8_0_ref of ggml); d is rounded
    /// to a half after q is known. A d that rounds to zero makes a block of zeros; past the largest half, and of a NaN, every element is NaN.
    /// </summary>
    public static void Quantize(float* source, byte* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockSize, destination += BlockBytes)
        {
            float largest = 0;
            for (int i = 0; i < BlockSize; i++)
                largest = MathF.Max(largest, MathF.Abs(source[i]));

            float d = largest / 127;
            var q = (sbyte*)(destination + QuantsAt);
            if (!F16.NarrowScale(d, (ushort*)destination))
            {
                new Span<sbyte>(q, BlockSize).Clear();
                continue;
            }

            float inverse = 1 / d;
            for (int i = 0; i < BlockSize; i++)
                q[i] = (sbyte)MathF.Round(source[i] * inverse, MidpointRounding.AwayFromZero);
        }
    }

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)source);
            var q = (sbyte*)(source + QuantsAt);
            for (int i = 0; i < BlockSize; i++)
                destination[start + i] = q[i] * d;
        }
    }

    /// <inheritdoc/>
    /// <remarks>|isum| ≤ 32 · 128 · 127 &lt; 2^24: its float is exact.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes, quants += BlockSize)
        {
            var q = (sbyte*)(row + QuantsAt);
            int isum = 0;
            for (int i = 0; i < BlockSize; i++)
                isum += q[i] * quants[i];
            acc = MathF.FusedMultiplyAdd(isum, F16.Widen(*(ushort*)row) * scales[block], acc);
        }

        return acc;
    }
}
