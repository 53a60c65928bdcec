namespace Pure.Engine.Quantization;

/// <summary>
/// 8-bit float: sign, 4 bits of exponent (bias 7), 3 of mantissa (OCP 8-bit Floating Point Specification 1.0, E4M3). No infinities:
/// the largest value is 448, and only all seven bits set is NaN.
/// </summary>
internal readonly unsafe struct F8_E4M3 : IElementFormat
{
    /// <summary>2^-9, the smallest above zero.</summary>
    private const float DenormalUnit = 1f / (1 << 9);

    public static ElementType Type => ElementType.F8_E4M3;

    public static int BlockSize => 1;

    public static int BlockBytes => sizeof(byte);

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long i = 0; i < count; i++)
            destination[i] = Widen(source[i]);
    }

    /// <summary>The float32 of the same value, always exact; NaN keeps its sign.</summary>
    public static float Widen(byte value)
    {
        uint sign = (uint)(value & 0x80) << 24;
        uint magnitude = (uint)(value & 0x7F);
        uint bits = magnitude switch
        {
            < 0x08 => BitConverter.SingleToUInt32Bits(magnitude * DenormalUnit),
            < 0x7F => (magnitude << 20) + ((127 - 7) << 23),
            _ => (magnitude << 20) | 0x7F80_0000,
        };
        return BitConverter.UInt32BitsToSingle(sign | bits);
    }
}
