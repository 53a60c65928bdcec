using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>Floats of 8 bits with 5 of exponent are the upper halves of 16-bit floats.</summary>
internal readonly unsafe struct E5M2Element : IFloatElement
{
    public static int Bytes => sizeof(byte);

    public static float LoadOne(byte* source) => F8_E5M2.Widen(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes> =>
        TLanes.WidenHalves(EightBitFloats.Sixteen(source) << 8);
}

/// <summary>
/// Floats of 8 bits with 4 of exponent: their bits in a 16-bit float's place stand for 2^-8 of the value, denormals too, because the
/// biases are 7 and 15; only NaN looks different.
/// </summary>
internal readonly unsafe struct E4M3Element : IFloatElement
{
    public static int Bytes => sizeof(byte);

    public static float LoadOne(byte* source) => F8_E4M3.Widen(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes>
    {
        Vector256<ushort> bits = EightBitFloats.Sixteen(source);
        Vector256<ushort> magnitude = bits & Vector256.Create((ushort)0x7F);
        Vector256<ushort> isNaN = Vector256.Equals(magnitude, Vector256.Create((ushort)0x7F));
        Vector256<ushort> halves = (magnitude << 7) | ((bits & Vector256.Create((ushort)0x80)) << 8);
        return TLanes.WidenHalves(Vector256.ConditionalSelect(isNaN, halves | Vector256.Create((ushort)0x7E00), halves)) * TLanes.Broadcast(256);
    }
}

internal static unsafe class EightBitFloats
{
    /// <summary>Sixteen bytes, each in 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<ushort> Sixteen(byte* source)
    {
        if (Avx2.IsSupported)
            return Avx2.ConvertToVector256Int16(source).AsUInt16();
        Vector128<byte> bytes = Vector128.Load(source);
        return Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes));
    }
}
