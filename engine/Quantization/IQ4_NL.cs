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

    public static ElementType Type => ElementType.IQ4_NL;

    public static int BlockSize => 32;

    public static int BlockBytes => 18;

    /// <summary>What the sixteen codes stand for: near zero closer together than further out, as weights are.</summary>
    internal static ReadOnlySpan<sbyte> Values => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
            NamedValues.Dequantize(source + QuantsAt, Values, F16.Widen(*(ushort*)source), destination + start);
    }

    /// <inheritdoc/>
    /// <remarks>|isum| ≤ 32 · 127 · 127 &lt; 2^24: its float is exact.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes, quants += BlockSize)
        {
            int isum = NamedValues.Sum(row + QuantsAt, Values, quants);
            acc = MathF.FusedMultiplyAdd(isum, F16.Widen(*(ushort*)row) * scales[block], acc);
        }

        return acc;
    }
}
