using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Decoders;

internal readonly unsafe struct Q2_KDecoder : IBlockDecoder
{
    public static int SubBlocks => 8;

    public static int BlockBytes => 84;

    public static bool IsSigned => false;

    public static bool HasMins => true;

    public static bool HasHalfScales => true;

    public static bool HasHalfMins => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s)
    {
        Vector256<ushort> packed = Vector256.Load(group + 16 + (s >> 2 << 5)).AsUInt16();
        return (packed >> ((s & 3) * 2)).AsByte() & Vector256.Create((byte)3);
    }

    public static void Scales(byte* group, int count, float* scales, float* mins)
    {
        new Span<float>(scales, 8).Fill(F16.Widen(*(ushort*)(group + 80)));
        new Span<float>(mins, 8).Fill(F16.Widen(*(ushort*)(group + 82)));
    }

    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        Vector256<float> d = EightRows.Halves(groups, 80);
        Vector256<float> dmin = EightRows.Halves(groups, 82);
        for (int s = 0; s < 8; s++)
        {
            d.Store(scales + (s * 8));
            dmin.Store(mins + (s * 8));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> HalfScales(byte* group, int s)
    {
        Vector128<byte> places = Vector128.Create(0UL, 0x0101_0101_0101_0101UL).AsByte() + Vector128.Create((byte)(2 * s));
        Vector128<byte> scales = Vector128.Load(group) & Vector128.Create((byte)0xF);
        return Avx2.ConvertToVector256Int16(Ssse3.Shuffle(scales, places));
    }

    public static (int Lower, int Upper) HalfMins(byte* group, int s) => (group[2 * s] >> 4, group[(2 * s) + 1] >> 4);

    public static void HalfMins8(byte** groups, float* halfMins)
    {
        ulong* bytes = stackalloc ulong[8];
        for (int eight = 0; eight < 2; eight++)
        {
            for (int row = 0; row < 8; row++)
                bytes[row] = (*(ulong*)(groups[row] + (eight * 8)) >> 4) & 0x0F0F_0F0F_0F0F_0F0F;
            EightRows.Scaled(bytes, Vector256<float>.One, halfMins + (eight * 64));
        }
    }
}
