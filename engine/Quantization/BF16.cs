namespace Pure.Engine.Quantization;

/// <summary>bfloat16: sign, 8 bits of exponent, 7 of mantissa; the upper half of a float32.</summary>
internal readonly unsafe struct BF16 : IElementFormat
{
    public static ElementType Type => ElementType.BF16;

    public static int BlockSize => 1;

    public static int BlockBytes => sizeof(ushort);

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long i = 0; i < count; i++)
            destination[i] = Widen(((ushort*)source)[i]);
    }

    /// <summary>The float32 of the same value.</summary>
    public static float Widen(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}
