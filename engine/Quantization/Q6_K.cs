namespace Pure.Engine.Quantization;

/// <summary>
/// 256 elements at 6 bits in 16 sub-blocks of 16, each with a scale of 8 bits: <c>x = (d · sc) · (q - 32)</c>.
/// <code>
/// byte   0                 128               192              208    210
///        | 128 bytes low 4 | 64 bytes high 2 | 16 × int8 sc   | d f16 |
///
/// Each half of 128 elements has 64 bytes "low", 32 bytes "high" and 8 scales. In a half, for i = 0…31:
///   element i        low[i] bits 0…3        high[i] bits 0…1        sc[i / 16]
///   element i + 32   low[i + 32] bits 0…3   high[i] bits 2…3        sc[i / 16 + 2]
///   element i + 64   low[i] bits 4…7        high[i] bits 4…5        sc[i / 16 + 4]
///   element i + 96   low[i + 32] bits 4…7   high[i] bits 6…7        sc[i / 16 + 6]
/// </code>
/// </summary>
internal readonly unsafe struct Q6_K : IQuantizedFormat
{
    private const int HighAt = 128;
    internal const int ScalesAt = 192;
    internal const int DeltaAt = 208;
    private const int Quarter = 32;
    private const int Quarters = 8;
    private const int Zero = 32;

    public static ElementType Type => ElementType.Q6_K;

    public static int BlockSize => 256;

    public static int BlockBytes => 210;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)(source + DeltaAt));
            var sc = (sbyte*)(source + ScalesAt);
            for (int quarter = 0; quarter < Quarters; quarter++, destination += Quarter)
            {
                for (int i = 0; i < Quarter; i++)
                    destination[i] = d * sc[(quarter * 2) + (i / 16)] * Quant(source, quarter, i);
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The two sub-blocks that share an activation scale are combined in integers first: |isum| ≤ 2 · 128 · (16 · 32 · 127) =
    /// 16,646,144 &lt; 2^24, so its float is exact.
    /// </remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)(row + DeltaAt));
            var sc = (sbyte*)(row + ScalesAt);
            for (int quarter = 0; quarter < Quarters; quarter++, quants += Quarter, scales++)
            {
                int isum = 0;
                for (int i = 0; i < Quarter; i++)
                    isum += sc[(quarter * 2) + (i / 16)] * Quant(row, quarter, i) * quants[i];
                acc = MathF.FusedMultiplyAdd(isum, d * *scales, acc);
            }
        }

        return acc;
    }

    /// <summary>Element <paramref name="i"/> of the 32 of quarter <paramref name="quarter"/> (four per half), -32 to 31.</summary>
    internal static int Quant(byte* block, int quarter, int i)
    {
        int half = quarter / 4;
        int part = quarter % 4;
        int low = block[(half * 64) + (part % 2 * 32) + i] >> (part / 2 * 4) & 0xF;
        int high = block[HighAt + (half * 32) + i] >> (part * 2) & 3;
        return (low | (high << 4)) - Zero;
    }
}
