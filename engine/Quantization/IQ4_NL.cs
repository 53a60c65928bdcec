namespace Pure.Engine.Quantization;

/// <summary>
/// 32 elements at 4 bits that name one of sixteen unevenly spaced values, with one scale: <c>x = d · value[q]</c>.
/// <code>
/// byte   0       2                                18
///        | d f16 | 16 bytes                      |   byte j: low nibble q[j], high nibble q[j + 16]
/// </code>
/// </summary>
internal readonly unsafe struct IQ4_NL : IQuantizedFormat
{
    private const int QuantsAt = 2;
    private const int Half = 16;

    public static ElementType Type => ElementType.IQ4_NL;

    public static int BlockSize => 32;

    public static int BlockBytes => 18;

    /// <summary>What the sixteen codes stand for: near zero closer together than further out, as weights are.</summary>
    internal static ReadOnlySpan<sbyte> Values => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)source);
            byte* q = source + QuantsAt;
            for (int j = 0; j < Half; j++)
            {
                destination[start + j] = d * Values[q[j] & 0xF];
                destination[start + j + Half] = d * Values[q[j] >> 4];
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>|isum| ≤ 32 · 127 · 127 &lt; 2^24: its float is exact.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes, quants += BlockSize)
        {
            byte* q = row + QuantsAt;
            int isum = 0;
            for (int j = 0; j < Half; j++)
                isum += (Values[q[j] & 0xF] * quants[j]) + (Values[q[j] >> 4] * quants[j + Half]);
            acc = MathF.FusedMultiplyAdd(isum, F16.Widen(*(ushort*)row) * scales[block], acc);
        }

        return acc;
    }
}
