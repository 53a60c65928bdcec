namespace Pure.Engine.Quantization;

/// <summary>
/// 256 elements at 4 bits in 8 sub-blocks of 32, each with a scale of 6 bits; codes name the values of <see cref="IQ4_NL"/>:
/// <c>x = (d · (sc - 32)) · value[q]</c>.
/// <code>
/// byte   0       2              4              8                                136
///        | d f16 | u16 sc high 2 | 4 bytes low 4 | 128 bytes                    |
///
/// sc[s]: low four bits in nibble s of the 4 bytes (even s low, odd s high), top two in bits 2s, 2s + 1 of the 16
/// the 128 bytes: 16 for each sub-block; byte j: low nibble q[j], high nibble q[j + 16]
/// </code>
/// </summary>
internal readonly unsafe struct IQ4_XS : IQuantizedFormat
{
    private const int HighAt = 2;
    private const int LowAt = 4;
    private const int QuantsAt = 8;
    private const int SubBlock = 32;
    private const int SubBlocks = 8;
    private const int Half = 16;
    private const int Zero = 32;

    public static ElementType Type => ElementType.IQ4_XS;

    public static int BlockSize => 256;

    public static int BlockBytes => 136;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)source);
            byte* q = source + QuantsAt;
            for (int s = 0; s < SubBlocks; s++, q += Half, destination += SubBlock)
                NamedValues.Dequantize(q, IQ4_NL.Values, d * Scale(source, s), destination);
        }
    }

    /// <inheritdoc/>
    /// <remarks>|isum| ≤ 32 · 127 · 127 &lt; 2^24: its float is exact.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)row);
            byte* q = row + QuantsAt;
            for (int s = 0; s < SubBlocks; s++, q += Half, quants += SubBlock, scales++)
            {
                int isum = NamedValues.Sum(q, IQ4_NL.Values, quants);
                acc = MathF.FusedMultiplyAdd(isum, d * Scale(row, s) * *scales, acc);
            }
        }

        return acc;
    }

    /// <summary>The scale of sub-block <paramref name="s"/>, -32 to 31.</summary>
    internal static int Scale(byte* block, int s)
    {
        int low = (block[LowAt + (s / 2)] >> (s % 2 * 4)) & 0xF;
        int high = (*(ushort*)(block + HighAt) >> (2 * s)) & 3;
        return (low | (high << 4)) - Zero;
    }
}
