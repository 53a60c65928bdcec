namespace Pure.Engine.Quantization;

/// <summary>
/// 256 elements at 4 bits in 8 sub-blocks of 32, each with a scale and a minimum of 6 bits:
/// <c>x = (d · sc) · q - (dmin · m)</c>.
/// <code>
/// byte   0      2         4                16                               144
///        | d f16 | dmin f16 | 12 bytes sc, m | 128 bytes                     |
///
/// the 12 bytes          bits 7 6            5 4 3 2 1 0
///   byte s              sc[s+4], top two    sc[s]             s = 0…3
///   byte s + 4          m[s+4], top two     m[s]
///   byte s + 8          m[s+4] low four in bits 7…4, sc[s+4] low four in bits 3…0
///
/// the 128 bytes: 32 for each pair of sub-blocks 2p, 2p + 1; low nibbles are q of 2p, high nibbles of 2p + 1
/// </code>
/// </summary>
internal readonly unsafe struct Q4_K : IQuantizedFormat
{
    internal const int ScalesAt = 4;
    private const int QuantsAt = 16;
    private const int SubBlock = 32;
    private const int SubBlocks = 8;

    public static ElementType Type => ElementType.Q4_K;

    public static int BlockSize => 256;

    public static int BlockBytes => 144;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(((ushort*)source)[0]);
            float dmin = F16.Widen(((ushort*)source)[1]);
            for (int s = 0; s < SubBlocks; s++, destination += SubBlock)
            {
                var (sc, m) = ScaleAndMin(source + ScalesAt, s);
                float scale = d * sc;
                float min = dmin * m;
                byte* q = Quants(source, s, out int shift);
                for (int i = 0; i < SubBlock; i++)
                    destination[i] = (scale * ((q[i] >> shift) & 0xF)) - min;
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>0 ≤ q ≤ 15, so |isum| ≤ 32 · 15 · 127 &lt; 2^24: its float is exact. The minima meet only the sum of the quants.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes)
        {
            float d = F16.Widen(((ushort*)row)[0]);
            float dmin = F16.Widen(((ushort*)row)[1]);
            for (int s = 0; s < SubBlocks; s++, quants += SubBlock, scales++, sums++)
            {
                var (sc, m) = ScaleAndMin(row + ScalesAt, s);
                byte* q = Quants(row, s, out int shift);
                int isum = 0;
                for (int i = 0; i < SubBlock; i++)
                    isum += ((q[i] >> shift) & 0xF) * quants[i];
                acc = MathF.FusedMultiplyAdd(isum, d * sc * *scales, acc);
                acc = MathF.FusedMultiplyAdd(-*sums, dmin * m * *scales, acc);
            }
        }

        return acc;
    }

    /// <summary>Scale and minimum (0 to 63) of sub-block <paramref name="s"/> out of the 12 bytes at <paramref name="packed"/>.</summary>
    internal static (int Scale, int Min) ScaleAndMin(byte* packed, int s) => s < 4
        ? (packed[s] & 63, packed[s + 4] & 63)
        : ((packed[s + 4] & 0xF) | (packed[s - 4] >> 6 << 4), (packed[s + 4] >> 4) | (packed[s] >> 6 << 4));

    private static byte* Quants(byte* block, int s, out int shift)
    {
        shift = s % 2 * 4;
        return block + QuantsAt + (s / 2 * SubBlock);
    }
}
