namespace Pure.Engine.Quantization;

/// <summary>
/// 32 elements at 5 bits with one scale: <c>x = (q - 16) · d</c>.
/// <code>
/// byte   0       2              6                                22
///        | d f16 | 32 fifth bits | 16 bytes                      |
///
/// q[j]       low nibble of byte j,  fifth bit: bit j of the 32 (a little-endian word)      j = 0…15
/// q[j + 16]  high nibble of byte j, fifth bit: bit j + 16
/// </code>
/// </summary>
internal readonly unsafe struct Q5_0 : IQuantizedFormat
{
    private const int FifthBitsAt = 2;
    private const int QuantsAt = 6;
    private const int Zero = 16;

    public static ElementType Type => ElementType.Q5_0;

    public static int BlockSize => 32;

    public static int BlockBytes => 22;

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)source);
            for (int i = 0; i < BlockSize; i++)
                destination[start + i] = (Quant(source + QuantsAt, *(uint*)(source + FifthBitsAt), i) - Zero) * d;
        }
    }

    /// <inheritdoc/>
    /// <remarks>|isum| ≤ 32 · 16 · 127 &lt; 2^24: its float is exact.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes, quants += BlockSize)
        {
            int isum = 0;
            for (int i = 0; i < BlockSize; i++)
                isum += (Quant(row + QuantsAt, *(uint*)(row + FifthBitsAt), i) - Zero) * quants[i];
            acc = MathF.FusedMultiplyAdd(isum, F16.Widen(*(ushort*)row) * scales[block], acc);
        }

        return acc;
    }

    /// <summary>Element <paramref name="i"/>, 0 to 31, of nibbles and fifth bits in this order.</summary>
    internal static int Quant(byte* nibbles, uint fifthBits, int i) =>
        ((nibbles[i % 16] >> (i / 16 * 4)) & 0xF) | (int)((fifthBits >> i) & 1) << 4;
}
