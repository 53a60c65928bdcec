namespace Pure.Engine.Quantization;

/// <summary>
/// 32 elements at 4 bits with one scale: <c>x = (q - 8) · d</c>.
/// <code>
/// byte   0      2                                18
///        | d f16 | 16 bytes                      |   byte j: low nibble q[j], high nibble q[j + 16]
/// </code>
/// </summary>
internal readonly unsafe struct Q4_0 : IQuantizedFormat
{
    private const int QuantsAt = 2;
    private const int Half = 16;
    private const int Zero = 8;

    public static ElementType Type => ElementType.Q4_0;

    public static int BlockSize => 32;

    public static int BlockBytes => 18;

    /// <summary>
    /// <c>d = x / -8</c> of the first x of the largest magnitude, <c>q = ⌊x · (1 / d) + 8.5⌋</c>, 15 at most (quantize_row_q4_0_ref of
    /// ggml); d is rounded to a half after q is known. A d that rounds to zero makes a block of zeros; past the largest half, and of
    /// a NaN, every element is NaN.
    /// </summary>
    public static void Quantize(float* source, byte* destination, long count)
    {
        const byte Zeros = Zero | (Zero << 4);
        for (long start = 0; start < count; start += BlockSize, source += BlockSize, destination += BlockBytes)
        {
            float largest = 0;
            for (int i = 0; i < BlockSize; i++)
            {
                if (MathF.Abs(source[i]) > MathF.Abs(largest) || float.IsNaN(source[i]))
                    largest = source[i];
            }

            float d = largest / -Zero;
            byte* q = destination + QuantsAt;
            if (!F16.NarrowScale(d, (ushort*)destination))
            {
                new Span<byte>(q, Half).Fill(Zeros);
                continue;
            }

            float inverse = 1 / d;
            for (int j = 0; j < Half; j++)
                q[j] = (byte)(Code(source[j] * inverse) | (Code(source[j + Half] * inverse) << 4));
        }
    }

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long start = 0; start < count; start += BlockSize, source += BlockBytes)
        {
            float d = F16.Widen(*(ushort*)source);
            byte* q = source + QuantsAt;
            for (int j = 0; j < Half; j++)
            {
                destination[start + j] = ((q[j] & 0xF) - Zero) * d;
                destination[start + j + Half] = ((q[j] >> 4) - Zero) * d;
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>|isum| ≤ 32 · 8 · 127 &lt; 2^24: its float is exact.</remarks>
    public static float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns)
    {
        float acc = 0;
        for (int block = 0; block < columns / BlockSize; block++, row += BlockBytes, quants += BlockSize)
        {
            byte* q = row + QuantsAt;
            int isum = 0;
            for (int j = 0; j < Half; j++)
                isum += (((q[j] & 0xF) - Zero) * quants[j]) + (((q[j] >> 4) - Zero) * quants[j + Half]);
            acc = MathF.FusedMultiplyAdd(isum, F16.Widen(*(ushort*)row) * scales[block], acc);
        }

        return acc;
    }

    private static int Code(float x) => Math.Min((int)(x + (Zero + 0.5f)), (1 << 4) - 1);
}
