using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels.Decoders;

internal readonly unsafe struct Q5_KDecoder : IBlockDecoder
{
    public static int SubBlocks => 8;

    public static int BlockBytes => 176;

    public static bool IsSigned => false;

    public static bool HasMins => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s)
    {
        Vector256<ushort> low = Vector256.Load(group + 48 + (s >> 1 << 5)).AsUInt16() >> ((s & 1) << 2);
        Vector256<ushort> fifth = (Vector256.Load(group + 16).AsUInt16() >> s) & Vector256.Create((ushort)0x0101);
        return (low.AsByte() & Vector256.Create((byte)0xF)) | (fifth << 4).AsByte();
    }

    /// <summary>Scales and minima are those of Q4_K.</summary>
    public static void Scales(byte* group, int count, float* scales, float* mins) => Q4_KDecoder.Scales(group, count, scales, mins);

    /// <inheritdoc cref="Scales"/>
    public static void Scales8(byte** groups, int count, float* scales, float* mins) =>
        Q4_KDecoder.Scales8(groups, count, scales, mins);
}
