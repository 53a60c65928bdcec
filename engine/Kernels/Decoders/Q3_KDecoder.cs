using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Decoders;

internal readonly unsafe struct Q3_KDecoder : IBlockDecoder
{
    public static int SubBlocks => 8;

    public static int BlockBytes => 110;

    public static bool IsSigned => true;

    public static bool HasHalfScales => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s)
    {
        Vector256<ushort> low = Vector256.Load(group + 32 + (s >> 2 << 5)).AsUInt16() >> ((s & 3) * 2);
        Vector256<ushort> third = (Vector256.Load(group).AsUInt16() >> s) & Vector256.Create((ushort)0x0101);
        return ((low.AsByte() & Vector256.Create((byte)3)) | (third << 2).AsByte()) - Vector256.Create((byte)4);
    }

    public static void Scales(byte* group, int count, float* scales, float* mins) =>
        new Span<float>(scales, 8).Fill(F16.Widen(*(ushort*)(group + 108)));

    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        Vector256<float> d = EightRows.Halves(groups, 108);
        for (int s = 0; s < 8; s++)
            d.Store(scales + (s * 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> HalfScales(byte* group, int s)
    {
        // All sixteen: low bits are the nibbles of eight bytes, the top two of each lie in four bytes at a shift of 0, 2, 4 or 6.
        ulong packed = *(ulong*)(group + 96);
        Vector128<byte> low = Vector128.Create(packed, packed >> 4).AsByte() & Vector128.Create((byte)0xF);
        Vector128<uint> tops = Avx2.ShiftRightLogicalVariable(Vector128.Create(*(uint*)(group + 104)), Vector128.Create(0u, 2, 4, 6));
        Vector128<byte> high = ((tops & Vector128.Create(0x0303_0303u)) << 4).AsByte();
        Vector128<byte> places = Vector128.Create(0UL, 0x0101_0101_0101_0101UL).AsByte() + Vector128.Create((byte)(2 * s));
        return Avx2.ConvertToVector256Int16(Ssse3.Shuffle((low | high) - Vector128.Create((byte)32), places).AsSByte());
    }
}
