namespace Pure.Engine.Quantization;

/// <summary>
/// 8-bit float: sign, 5 bits of exponent (bias 15), 2 of mantissa (OCP 8-bit Floating Point Specification 1.0, E5M2): the upper half
/// of a 16-bit IEEE float, with its infinities and NaNs.
/// </summary>
internal readonly unsafe struct F8_E5M2 : IElementFormat
{
    public static ElementType Type => ElementType.F8_E5M2;

    public static int BlockSize => 1;

    public static int BlockBytes => sizeof(byte);

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long i = 0; i < count; i++)
            destination[i] = Widen(source[i]);
    }

    /// <summary>The float32 of the same value, always exact.</summary>
    public static float Widen(byte value) => F16.Widen((ushort)(value << 8));
}
