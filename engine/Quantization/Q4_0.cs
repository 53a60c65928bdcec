namespace Pure.Engine.Quantization;

/// <summary>
/// 32 elements at 4 bits with one scale: <c>x = (q - 8) · d</c>.
/// <code>
/// byte   0      2                                18
///        | d f16 | 16 bytes                      |   byte j: low nibble q[j], high nibble q[j + 16]
/// </code>
/// </summary>
internal readonly unsafe struct Q4_0 : IQuantizedFormat
{
    private const int QuantsAt = 2;
    private const int Half = 16;
    private const int Zero = 8;

    public static ElementType Type => ElementType.Q4_0;

    public static int BlockSize => 32;

    public static int BlockBytes => 18;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)source);
            byte* q = source + QuantsAt;
            for (int j = 0; j < Half; j++)
            {
                destination[start + j] = ((q[j] & 0xF) - Zero) * d;
                destination[start + j + Half] = ((q[j] >> 4) - Zero) * d;
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>|isum| ≤ 32 · 8 · 127 &lt; 2^24: its float is exact.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes, quants += BlockSize)
        {
            byte* q = row + QuantsAt;
            int isum = 0;
            for (int j = 0; j < Half; j++)
                isum += (((q[j] & 0xF) - Zero) * quants[j]) + (((q[j] >> 4) - Zero) * quants[j + Half]);
            acc = MathF.FusedMultiplyAdd(isum, F16.Widen(*(ushort*)row) * scales[block], acc);
        }

        return acc;
    }
}
