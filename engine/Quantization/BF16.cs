namespace Pure.Engine.Quantization;

/// <summary>bfloat16: sign, 8 bits of exponent, 7 of mantissa; the upper half of a float32.</summary>
internal readonly unsafe struct BF16 : IElementFormat
{
    public static ElementType Type => ElementType.BF16;

    public static int BlockSize => 1;

    public static int BlockBytes => sizeof(ushort);

    /// <summary>Rounds <paramref name="count"/> elements to the nearest bfloat16, ties to even.</summary>
    public static void Quantize(float* source, byte* destination, long count)
    {
        for (long i = 0; i < count; i++)
            ((ushort*)destination)[i] = Narrow(source[i]);
    }

    public static void Dequantize(byte* source, float* destination, long count)
    {
        for (long i = 0; i < count; i++)
            destination[i] = Widen(((ushort*)source)[i]);
    }

    /// <summary>The nearest bfloat16, ties to even; past the largest it is infinite, and a NaN stays one.</summary>
    public static ushort Narrow(float value)
    {
        const uint Quiet = 0x0040;
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)(float.IsNaN(value) ? (bits >> 16) | Quiet : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The float32 of the same value.</summary>
    public static float Widen(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}
