namespace Pure.Engine.Quantization;

/// <summary>
/// 256 elements at 2 bits in 16 sub-blocks of 16, each with a scale and a minimum of 4 bits: <c>x = (d · sc) · q - (dmin · m)</c>.
/// <code>
/// byte   0              16              80      82         84
///        | 16 bytes     | 64 bytes      | d f16 | dmin f16 |   byte k of the 16: low nibble sc[k], high nibble m[k]
///
/// Elements come in eight parts of 32. Element i of part p = 0…7 lies in byte (p / 4) · 32 + i of the 64, bits 2 (p mod 4) and
/// 2 (p mod 4) + 1; its scale and minimum have the index 2p + i / 16
/// </code>
/// </summary>
internal readonly unsafe struct Q2_K : IQuantizedFormat
{
    private const int QuantsAt = 16;
    private const int DeltaAt = 80;
    private const int DeltaMinAt = 82;
    private const int Part = 32;
    private const int Parts = 8;

    public static ElementType Type => ElementType.Q2_K;

    public static int BlockSize => 256;

    public static int BlockBytes => 84;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)(source + DeltaAt));
            float dmin = F16.Widen(*(ushort*)(source + DeltaMinAt));
            for (int part = 0; part < Parts; part++, destination += Part)
            {
                for (int i = 0; i < Part; i++)
                {
                    int packed = source[(part * 2) + (i / 16)];
                    destination[i] = (d * (packed & 0xF) * Quant(source, part, i)) - (dmin * (packed >> 4));
                }
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The two sub-blocks that share an activation scale are combined in integers first, the minima likewise:
    /// |isum| ≤ 2 · 15 · (16 · 3 · 127) and |msum| ≤ 2 · 15 · (16 · 127) are below 2^24, so their floats are exact.
    /// </remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)(row + DeltaAt));
            float dmin = F16.Widen(*(ushort*)(row + DeltaMinAt));
            for (int part = 0; part < Parts; part++, quants += Part, scales++)
            {
                int isum = 0;
                int msum = 0;
                for (int i = 0; i < Part; i++)
                {
                    int packed = row[(part * 2) + (i / 16)];
                    isum += (packed & 0xF) * Quant(row, part, i) * quants[i];
                    msum += (packed >> 4) * quants[i];
                }

                acc = MathF.FusedMultiplyAdd(isum, d * *scales, acc);
                acc = MathF.FusedMultiplyAdd(-msum, dmin * *scales, acc);
            }
        }

        return acc;
    }

    /// <summary>0 to 3.</summary>
    private static int Quant(byte* block, int part, int i) => (block[QuantsAt + (part / 4 * Part) + i] >> (part % 4 * 2)) & 3;
}
