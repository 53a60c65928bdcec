namespace Pure.Engine.Quantization;

/// <summary>
/// 256 elements at 5 bits in 8 sub-blocks of 32, each with a scale and a minimum of 6 bits:
/// <c>x = (d · sc) · q - (dmin · m)</c>.
/// <code>
/// byte   0       2          4                16                  48                              176
///        | d f16 | dmin f16 | 12 bytes sc, m | 32 bytes fifth    | 128 bytes                    |
///
/// scales, minima and the low four bits are packed as in Q4_K; bit s of fifth[i] belongs to element i of sub-block s
/// </code>
/// </summary>
internal readonly unsafe struct Q5_K : IQuantizedFormat
{
    private const int ScalesAt = 4;
    private const int FifthBitsAt = 16;
    private const int QuantsAt = 48;
    private const int SubBlock = 32;
    private const int SubBlocks = 8;

    public static ElementType Type => ElementType.Q5_K;

    public static int BlockSize => 256;

    public static int BlockBytes => 176;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(((ushort*)source)[0]);
            float dmin = F16.Widen(((ushort*)source)[1]);
            for (int s = 0; s < SubBlocks; s++, destination += SubBlock)
            {
                var (sc, m) = Q4_K.ScaleAndMin(source + ScalesAt, s);
                float scale = d * sc;
                float min = dmin * m;
                for (int i = 0; i < SubBlock; i++)
                    destination[i] = (scale * Quant(source, s, i)) - min;
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>0 ≤ q ≤ 31, so |isum| ≤ 32 · 31 · 127 &lt; 2^24: its float is exact. The minima meet only the sum of the quants.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes)
        {
            float d = F16.Widen(((ushort*)row)[0]);
            float dmin = F16.Widen(((ushort*)row)[1]);
            for (int s = 0; s < SubBlocks; s++, quants += SubBlock, scales++, sums++)
            {
                var (sc, m) = Q4_K.ScaleAndMin(row + ScalesAt, s);
                int isum = 0;
                for (int i = 0; i < SubBlock; i++)
                    isum += Quant(row, s, i) * quants[i];
                acc = MathF.FusedMultiplyAdd(isum, d * sc * *scales, acc);
                acc = MathF.FusedMultiplyAdd(-*sums, dmin * m * *scales, acc);
            }
        }

        return acc;
    }

    private static int Quant(byte* block, int s, int i)
    {
        int low = (block[QuantsAt + (s / 2 * SubBlock) + i] >> (s % 2 * 4)) & 0xF;
        return low | ((block[FifthBitsAt + i] >> s) & 1) << 4;
    }
}
