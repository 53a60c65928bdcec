using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Kernels.Decoders;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>
/// How a quantised row is read 32 elements (a sub-block) at a time with AVX2, in groups of up to eight sub-blocks. The layouts are
/// drawn in Quantization/; one decoder serves products with 8-bit activations and dequantising.
/// </summary>
internal unsafe interface IBlockDecoder
{
    /// <summary>Sub-blocks per storage block: 1 or 8.</summary>
    static abstract int SubBlocks { get; }

    static abstract int BlockBytes { get; }

    /// <summary>Codes are signed bytes; otherwise unsigned, 0 to 63 at most.</summary>
    static abstract bool IsSigned { get; }

    /// <summary>What an unsigned code stands above its value.</summary>
    static virtual int Zero => 0;

    /// <summary>Each sub-block subtracts a minimum.</summary>
    static virtual bool HasMins => false;

    /// <summary>The two halves of a sub-block have integer scales of their own, by which codes are multiplied.</summary>
    static virtual bool HasHalfScales => false;

    /// <summary>The two halves have integer factors of their own, by which the minimum is multiplied.</summary>
    static virtual bool HasHalfMins => false;

    /// <summary>The 32 codes of sub-block <paramref name="s"/> of the group at <paramref name="group"/>, in order.</summary>
    static abstract Vector256<byte> Codes(byte* group, int s);

    /// <summary>Scale and minimum of each of the <paramref name="count"/> sub-blocks of one group.</summary>
    static abstract void Scales(byte* group, int count, float* scales, float* mins);

    /// <summary>The same of eight rows' groups: <c>[count, 8]</c>.</summary>
    static abstract void Scales8(byte** groups, int count, float* scales, float* mins);

    /// <summary>The integer scales of sub-block <paramref name="s"/>: eight times that of the lower half, eight times the upper's.</summary>
    static virtual Vector256<short> HalfScales(byte* group, int s) => Vector256<short>.One;

    /// <summary>The integer factors of the minimum in the two halves of sub-block <paramref name="s"/>.</summary>
    static virtual (int Lower, int Upper) HalfMins(byte* group, int s) => (1, 1);

    /// <summary>The same of eight rows' groups: <c>[8 sub-blocks, 2 halves, 8 rows]</c>.</summary>
    static virtual void HalfMins8(byte** groups, float* halfMins)
    {
    }
}

internal readonly unsafe struct Q8_0Decoder : IBlockDecoder
{
    public static int SubBlocks => 1;

    public static int BlockBytes => 34;

    public static bool IsSigned => true;

    public static int Zero => 0;

    public static bool HasMins => false;

    public static bool HasHalfScales => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s) => Vector256.Load(group + (s * 34) + 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
            scales[s] = F16.Widen(*(ushort*)(group + (s * 34)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
            EightRows.Halves(groups, s * 34).Store(scales + (s * 8));
    }

    public static Vector256<short> HalfScales(byte* group, int s) => Vector256<short>.One;
}

internal readonly unsafe struct Q4_0Decoder : IBlockDecoder
{
    public static int SubBlocks => 1;

    public static int BlockBytes => 18;

    public static bool IsSigned => false;

    public static int Zero => 8;

    public static bool HasMins => false;

    public static bool HasHalfScales => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s) => Nibbles.Load(group + (s * 18) + 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
            scales[s] = F16.Widen(*(ushort*)(group + (s * 18)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
            EightRows.Halves(groups, s * 18).Store(scales + (s * 8));
    }

    public static Vector256<short> HalfScales(byte* group, int s) => Vector256<short>.One;
}

internal readonly unsafe struct Q4_KDecoder : IBlockDecoder
{
    public static int SubBlocks => 8;

    public static int BlockBytes => 144;

    public static bool IsSigned => false;

    public static int Zero => 0;

    public static bool HasMins => true;

    public static bool HasHalfScales => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s)
    {
        Vector256<byte> packed = Vector256.Load(group + 16 + (s >> 1 << 5));
        return (packed.AsUInt16() >> ((s & 1) << 2)).AsByte() & Vector256.Create((byte)0xF);
    }

    public static void Scales(byte* group, int count, float* scales, float* mins)
    {
        float d = F16.Widen(((ushort*)group)[0]);
        float dmin = F16.Widen(((ushort*)group)[1]);
        for (int s = 0; s < 8; s++)
        {
            (int scale, int min) = Q4_K.ScaleAndMin(group + 4, s);
            scales[s] = d * scale;
            mins[s] = dmin * min;
        }
    }

    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        // The eight scales of a row as the bytes of one word, likewise the minima: four fields at a time with masks.
        ulong* scaleBytes = stackalloc ulong[8];
        ulong* minBytes = stackalloc ulong[8];
        for (int row = 0; row < 8; row++)
        {
            var packed = (uint*)(groups[row] + 4);
            uint upperScales = (packed[2] & 0x0F0F_0F0F) | ((packed[0] >> 2) & 0x3030_3030);
            uint upperMins = ((packed[2] >> 4) & 0x0F0F_0F0F) | ((packed[1] >> 2) & 0x3030_3030);
            scaleBytes[row] = (packed[0] & 0x3F3F_3F3F) | ((ulong)upperScales << 32);
            minBytes[row] = (packed[1] & 0x3F3F_3F3F) | ((ulong)upperMins << 32);
        }

        EightRows.Scaled(scaleBytes, EightRows.Halves(groups, 0), scales);
        EightRows.Scaled(minBytes, EightRows.Halves(groups, 2), mins);
    }

    public static Vector256<short> HalfScales(byte* group, int s) => Vector256<short>.One;
}

internal readonly unsafe struct Q6_KDecoder : IBlockDecoder
{
    public static int SubBlocks => 8;

    public static int BlockBytes => 210;

    public static bool IsSigned => true;

    public static int Zero => 0;

    public static bool HasMins => false;

    public static bool HasHalfScales => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s)
    {
        // Sub-block s is part s mod 4 of half s / 4; shifts and masks spare the signed divisions.
        int half = s >> 2;
        int part = s & 3;
        Vector256<ushort> low = Vector256.Load(group + (half << 6) + ((part & 1) << 5)).AsUInt16();
        Vector256<ushort> high = Vector256.Load(group + 128 + (half << 5)).AsUInt16();
        Vector256<byte> lowBits = (low >> (part >> 1 << 2)).AsByte() & Vector256.Create((byte)0xF);
        Vector256<byte> highBits = ((high >> (part * 2)) & Vector256.Create((ushort)0x0303)).AsByte();
        return (lowBits | (highBits.AsUInt16() << 4).AsByte()) - Vector256.Create((byte)32);
    }

    public static void Scales(byte* group, int count, float* scales, float* mins) =>
        new Span<float>(scales, 8).Fill(F16.Widen(*(ushort*)(group + 208)));

    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        Vector256<float> d = EightRows.Halves(groups, 208);
        for (int s = 0; s < 8; s++)
            d.Store(scales + (s * 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> HalfScales(byte* group, int s)
    {
        Vector128<byte> places = Vector128.Create(0UL, 0x0101_0101_0101_0101UL).AsByte();
        return Avx2.ConvertToVector256Int16(
            Ssse3.Shuffle(Vector128.Load(group + 192), places + Vector128.Create((byte)(2 * s))).AsSByte());
    }
}

/// <summary>One number of each of eight rows, in eight lanes.</summary>
internal static unsafe class EightRows
{
    /// <summary>The 16-bit floats at byte <paramref name="offset"/> of each group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Halves(byte** groups, int offset) => Lanes256.WidenHalf(Avx2.ConvertToVector256Int32(Vector128.Create(
        *(ushort*)(groups[0] + offset),
        *(ushort*)(groups[1] + offset),
        *(ushort*)(groups[2] + offset),
        *(ushort*)(groups[3] + offset),
        *(ushort*)(groups[4] + offset),
        *(ushort*)(groups[5] + offset),
        *(ushort*)(groups[6] + offset),
        *(ushort*)(groups[7] + offset))));

    /// <summary>target[s, row] = (byte s of bytes[row] − zero) · scale[row].</summary>
    internal static void Scaled(ulong* bytes, Vector256<float> scale, float* target, int zero = 0)
    {
        // An 8 × 8 transpose of bytes: neighbours are interleaved as bytes, then as pairs, then as fours.
        Vector128<byte> rows01 = Sse2.UnpackLow(Vector128.CreateScalar(bytes[0]).AsByte(), Vector128.CreateScalar(bytes[1]).AsByte());
        Vector128<byte> rows23 = Sse2.UnpackLow(Vector128.CreateScalar(bytes[2]).AsByte(), Vector128.CreateScalar(bytes[3]).AsByte());
        Vector128<byte> rows45 = Sse2.UnpackLow(Vector128.CreateScalar(bytes[4]).AsByte(), Vector128.CreateScalar(bytes[5]).AsByte());
        Vector128<byte> rows67 = Sse2.UnpackLow(Vector128.CreateScalar(bytes[6]).AsByte(), Vector128.CreateScalar(bytes[7]).AsByte());
        Vector128<uint> lower0123 = Sse2.UnpackLow(rows01.AsUInt16(), rows23.AsUInt16()).AsUInt32();
        Vector128<uint> upper0123 = Sse2.UnpackHigh(rows01.AsUInt16(), rows23.AsUInt16()).AsUInt32();
        Vector128<uint> lower4567 = Sse2.UnpackLow(rows45.AsUInt16(), rows67.AsUInt16()).AsUInt32();
        Vector128<uint> upper4567 = Sse2.UnpackHigh(rows45.AsUInt16(), rows67.AsUInt16()).AsUInt32();
        Two(Sse2.UnpackLow(lower0123, lower4567).AsByte(), scale, target, zero);
        Two(Sse2.UnpackHigh(lower0123, lower4567).AsByte(), scale, target + 16, zero);
        Two(Sse2.UnpackLow(upper0123, upper4567).AsByte(), scale, target + 32, zero);
        Two(Sse2.UnpackHigh(upper0123, upper4567).AsByte(), scale, target + 48, zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two(Vector128<byte> bytes, Vector256<float> scale, float* target, int zero)
    {
        Vector256<int> zeros = Vector256.Create(zero);
        Vector128<byte> second = Sse2.ShiftRightLogical128BitLane(bytes, 8);
        (scale * Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(bytes) - zeros)).Store(target);
        (scale * Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(second) - zeros)).Store(target + 8);
    }
}
