using System.Runtime.CompilerServices;

namespace Pure.Engine.Quantization;

/// <summary>16-bit IEEE float: sign, 5 bits of exponent (bias 15), 10 of mantissa.</summary>
internal readonly unsafe struct F16 : IElementFormat
{
    /// <summary>A quiet NaN, as every machine writes it.</summary>
    public const ushort NaN = 0x7E00;

    /// <summary>2^-24, the smallest half above zero.</summary>
    private const float DenormalUnit = 1f / (1 << 24);

    public static ElementType Type => ElementType.F16;

    public static int BlockSize => 1;

    public static int BlockBytes => sizeof(ushort);

    /// <summary>Rounds <paramref name="count"/> elements to the nearest half, ties to even.</summary>
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

    /// <summary>The nearest half, ties to even; from 65520 on it is infinite, and a NaN becomes <see cref="NaN"/>.</summary>
    public static ushort Narrow(float value) => float.IsNaN(value) ? NaN : BitConverter.HalfToUInt16Bits((Half)value);

    /// <summary>Stores a block's scale; false if the block's codes then do not matter: the scale became zero, or NaN where not finite.</summary>
    public static bool NarrowScale(float scale, ushort* half)
    {
        ushort bits = Narrow(scale);
        bool isFinite = (bits & 0x7FFF) < 0x7C00;
        *half = isFinite ? bits : NaN;
        return isFinite && (bits & 0x7FFF) != 0;
    }

    /// <summary>
    /// The float32 of the same value. Always exact; infinities and the payload of NaN are kept. Written in integers because the
    /// framework's conversion may or may not quieten a NaN, as the machine has it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Widen(ushort half)
    {
        uint sign = (uint)(half & 0x8000) << 16;
        uint magnitude = (uint)(half & 0x7FFF);

        // Zero and denormals are whole multiples of 2^-24; the product is exact.
        uint bits = magnitude switch
        {
            < 0x0400 => BitConverter.SingleToUInt32Bits(magnitude * DenormalUnit),
            < 0x7C00 => (magnitude << 13) + ((127 - 15) << 23),
            _ => (magnitude << 13) | 0x7F80_0000,
        };
        return BitConverter.UInt32BitsToSingle(sign | bits);
    }
}
