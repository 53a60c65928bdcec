using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Decoders;

internal readonly unsafe struct Q5_0Decoder : IBlockDecoder
{
    public static int SubBlocks => 1;

    public static int BlockBytes => 22;

    public static bool IsSigned => false;

    public static int Zero => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s) => Nibbles.Load(group + (s * 22) + 6, *(uint*)(group + (s * 22) + 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
            scales[s] = F16.Widen(*(ushort*)(group + (s * 22)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
            EightRows.Halves(groups, s * 22).Store(scales + (s * 8));
    }
}
