namespace Pure.Engine.Quantization;

/// <summary>
/// 32 elements at 5 bits with a scale and a least value: <c>x = q · d + m</c>.
/// <code>
/// byte   0       2       4              8                                24
///        | d f16 | m f16 | 32 fifth bits | 16 bytes                      |   the quants are packed as in Q5_0
/// </code>
/// </summary>
internal readonly unsafe struct Q5_1 : IQuantizedFormat
{
    private const int FifthBitsAt = 4;
    private const int QuantsAt = 8;

    public static ElementType Type => ElementType.Q5_1;

    public static int BlockSize => 32;

    public static int BlockBytes => 24;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(((ushort*)source)[0]);
            float m = F16.Widen(((ushort*)source)[1]);
            for (int i = 0; i < BlockSize; i++)
                destination[start + i] = (Q5_0.Quant(source + QuantsAt, *(uint*)(source + FifthBitsAt), i) * d) + m;
        }
    }

    /// <inheritdoc/>
    /// <remarks>0 ≤ q ≤ 31, so |isum| ≤ 32 · 31 · 127 &lt; 2^24: its float is exact. The least value meets only the sum of the quants.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes, quants += BlockSize)
        {
            int isum = 0;
            for (int i = 0; i < BlockSize; i++)
                isum += Q5_0.Quant(row + QuantsAt, *(uint*)(row + FifthBitsAt), i) * quants[i];
            acc = MathF.FusedMultiplyAdd(isum, F16.Widen(((ushort*)row)[0]) * scales[block], acc);
            acc = MathF.FusedMultiplyAdd(sums[block], F16.Widen(((ushort*)row)[1]) * scales[block], acc);
        }

        return acc;
    }
}
