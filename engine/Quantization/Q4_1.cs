namespace Pure.Engine.Quantization;

/// <summary>
/// 32 elements at 4 bits with a scale and a least value: <c>x = q · d + m</c>.
/// <code>
/// byte   0       2       4                                20
///        | d f16 | m f16 | 16 bytes                      |   byte j: low nibble q[j], high nibble q[j + 16]
/// </code>
/// </summary>
internal readonly unsafe struct Q4_1 : IQuantizedFormat
{
    private const int QuantsAt = 4;
    private const int Half = 16;

    public static ElementType Type => ElementType.Q4_1;

    public static int BlockSize => 32;

    public static int BlockBytes => 20;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(((ushort*)source)[0]);
            float m = F16.Widen(((ushort*)source)[1]);
            byte* q = source + QuantsAt;
            for (int j = 0; j < Half; j++)
            {
                destination[start + j] = ((q[j] & 0xF) * d) + m;
                destination[start + j + Half] = ((q[j] >> 4) * d) + m;
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>0 ≤ q ≤ 15, so |isum| ≤ 32 · 15 · 127 &lt; 2^24: its float is exact. The least value meets only the sum of the quants.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes, quants += BlockSize)
        {
            byte* q = row + QuantsAt;
            int isum = 0;
            for (int j = 0; j < Half; j++)
                isum += ((q[j] & 0xF) * quants[j]) + ((q[j] >> 4) * quants[j + Half]);
            acc = MathF.FusedMultiplyAdd(isum, F16.Widen(((ushort*)row)[0]) * scales[block], acc);
            acc = MathF.FusedMultiplyAdd(sums[block], F16.Widen(((ushort*)row)[1]) * scales[block], acc);
        }

        return acc;
    }
}
