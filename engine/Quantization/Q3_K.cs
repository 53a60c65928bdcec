namespace Pure.Engine.Quantization;

/// <summary>
/// 256 elements at 3 bits in 16 sub-blocks of 16, each with a scale of 6 bits: <c>x = (d · (sc - 32)) · (q - 4)</c>.
/// <code>
/// byte   0                32                96            108     110
///        | 32 bytes high 1 | 64 bytes low 2 | 12 bytes sc | d f16 |
///
/// Elements come in eight parts of 32. Element i of part p = 0…7:
///   low two bits    byte (p / 4) · 32 + i of the 64, bits 2 (p mod 4), 2 (p mod 4) + 1
///   third bit       byte i of the 32, bit p
///   scale           sc[2p + i / 16]
///
/// the 12 bytes: sc[k] has its low four bits in nibble k / 8 of byte k mod 8, its top two in bits 2 (k / 4), 2 (k / 4) + 1 of
/// byte 8 + k mod 4
/// </code>
/// </summary>
internal readonly unsafe struct Q3_K : IQuantizedFormat
{
    private const int LowAt = 32;
    private const int ScalesAt = 96;
    private const int DeltaAt = 108;
    private const int Part = 32;
    private const int Parts = 8;
    private const int Zero = 4;
    private const int ScaleZero = 32;

    public static ElementType Type => ElementType.Q3_K;

    public static int BlockSize => 256;

    public static int BlockBytes => 110;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)(source + DeltaAt));
            for (int part = 0; part < Parts; part++, destination += Part)
            {
                for (int i = 0; i < Part; i++)
                    destination[i] = d * Scale(source, (part * 2) + (i / 16)) * Quant(source, part, i);
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The two sub-blocks that share an activation scale are combined in integers first: |isum| ≤ 2 · 32 · (16 · 4 · 127) &lt; 2^24, so
    /// its float is exact.
    /// </remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)(row + DeltaAt));
            for (int part = 0; part < Parts; part++, quants += Part, scales++)
            {
                int isum = 0;
                for (int i = 0; i < Part; i++)
                    isum += Scale(row, (part * 2) + (i / 16)) * Quant(row, part, i) * quants[i];
                acc = MathF.FusedMultiplyAdd(isum, d * *scales, acc);
            }
        }

        return acc;
    }

    /// <summary>-32 to 31.</summary>
    internal static int Scale(byte* block, int k)
    {
        byte* packed = block + ScalesAt;
        int low = (packed[k % 8] >> (k / 8 * 4)) & 0xF;
        int high = (packed[8 + (k % 4)] >> (k / 4 * 2)) & 3;
        return (low | (high << 4)) - ScaleZero;
    }

    /// <summary>-4 to 3.</summary>
    private static int Quant(byte* block, int part, int i)
    {
        int low = (block[LowAt + (part / 4 * Part) + i] >> (part % 4 * 2)) & 3;
        return (low | ((block[i] >> part) & 1) << 2) - Zero;
    }
}
