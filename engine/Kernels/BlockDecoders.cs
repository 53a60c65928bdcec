using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>
/// How a quantised row is read 32 elements (a sub-block) at a time with AVX2, in groups of up to eight sub-blocks. The layouts are
/// drawn in Quantization/; one decoder serves products with 8-bit activations and dequantising.
/// </summary>
internal unsafe interface IBlockDecoder
{
    static abstract ElementType Type { get; }

    /// <summary>Sub-blocks per storage block: 1 or 8.</summary>
    static abstract int SubBlocks { get; }

    static abstract int BlockBytes { get; }

    /// <summary>Codes are signed bytes; otherwise unsigned, 0 to 63 at most.</summary>
    static abstract bool IsSigned { get; }

    /// <summary>What an unsigned code stands above its value.</summary>
    static abstract int Zero { get; }

    /// <summary>Each sub-block subtracts a minimum.</summary>
    static abstract bool HasMins { get; }

    /// <summary>The two halves of a sub-block have integer scales of their own, by which codes are multiplied.</summary>
    static abstract bool HasHalfScales { get; }

    /// <summary>The 32 codes of sub-block <paramref name="s"/> of the group at <paramref name="group"/>, in order.</summary>
    static abstract Vector256<byte> Codes(byte* group, int s);

    /// <summary>Scale and minimum of each of the group's <paramref name="count"/> sub-blocks, <paramref name="stride"/> floats apart.</summary>
    static abstract void Scales(byte* group, int count, float* scales, float* mins, int stride);

    /// <summary>The integer scale of half <paramref name="half"/> of sub-block <paramref name="s"/>.</summary>
    static abstract int HalfScale(byte* group, int s, int half);
}

internal readonly unsafe struct Q8_0Decoder : IBlockDecoder
{
    public static ElementType Type => ElementType.Q8_0;

    public static int SubBlocks => 1;

    public static int BlockBytes => 34;

    public static bool IsSigned => true;

    public static int Zero => 0;

    public static bool HasMins => false;

    public static bool HasHalfScales => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s) => Vector256.Load(group + (s * 34) + 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins, int stride)
    {
        for (int s = 0; s < count; s++)
            scales[s * stride] = F16.Widen(*(ushort*)(group + (s * 34)));
    }

    public static int HalfScale(byte* group, int s, int half) => 1;
}

internal readonly unsafe struct Q4_0Decoder : IBlockDecoder
{
    public static ElementType Type => ElementType.Q4_0;

    public static int SubBlocks => 1;

    public static int BlockBytes => 18;

    public static bool IsSigned => false;

    public static int Zero => 8;

    public static bool HasMins => false;

    public static bool HasHalfScales => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s)
    {
        Vector128<byte> packed = Vector128.Load(group + (s * 18) + 2);
        Vector128<byte> high = (packed.AsUInt16() >> 4).AsByte();
        return Vector256.Create(packed, high) & Vector256.Create((byte)0xF);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins, int stride)
    {
        for (int s = 0; s < count; s++)
            scales[s * stride] = F16.Widen(*(ushort*)(group + (s * 18)));
    }

    public static int HalfScale(byte* group, int s, int half) => 1;
}

internal readonly unsafe struct Q4_KDecoder : IBlockDecoder
{
    public static ElementType Type => ElementType.Q4_K;

    public static int SubBlocks => 8;

    public static int BlockBytes => 144;

    public static bool IsSigned => false;

    public static int Zero => 0;

    public static bool HasMins => true;

    public static bool HasHalfScales => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s)
    {
        Vector256<byte> packed = Vector256.Load(group + 16 + (s / 2 * 32));
        Vector256<byte> shifted = s % 2 == 0 ? packed : (packed.AsUInt16() >> 4).AsByte();
        return shifted & Vector256.Create((byte)0xF);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins, int stride)
    {
        float d = F16.Widen(((ushort*)group)[0]);
        float dmin = F16.Widen(((ushort*)group)[1]);
        for (int s = 0; s < 8; s++)
        {
            (int scale, int min) = Q4_K.ScaleAndMin(group + 4, s);
            scales[s * stride] = d * scale;
            mins[s * stride] = dmin * min;
        }
    }

    public static int HalfScale(byte* group, int s, int half) => 1;
}

internal readonly unsafe struct Q6_KDecoder : IBlockDecoder
{
    public static ElementType Type => ElementType.Q6_K;

    public static int SubBlocks => 8;

    public static int BlockBytes => 210;

    public static bool IsSigned => true;

    public static int Zero => 0;

    public static bool HasMins => false;

    public static bool HasHalfScales => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s)
    {
        int half = s / 4;
        int part = s % 4;
        Vector256<ushort> low = Vector256.Load(group + (half * 64) + (part % 2 * 32)).AsUInt16();
        Vector256<ushort> high = Vector256.Load(group + 128 + (half * 32)).AsUInt16();
        Vector256<byte> lowBits = (low >> (part / 2 * 4)).AsByte() & Vector256.Create((byte)0xF);
        Vector256<byte> highBits = ((high >> (part * 2)) & Vector256.Create((ushort)0x0303)).AsByte();
        return (lowBits | (highBits.AsUInt16() << 4).AsByte()) - Vector256.Create((byte)32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins, int stride)
    {
        float d = F16.Widen(*(ushort*)(group + 208));
        for (int s = 0; s < 8; s++)
            scales[s * stride] = d;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int HalfScale(byte* group, int s, int half) => (sbyte)group[192 + (s * 2) + half];
}
