using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Decoders;

internal readonly unsafe struct IQ4_NLDecoder : IBlockDecoder
{
    public static int SubBlocks => 1;

    public static int BlockBytes => 18;

    public static bool IsSigned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s) => Nibbles.Load(group + (s * 18) + 2, IQ4_NL.Values);

    // Scales stand where Q4_0 has them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins) => Q4_0Decoder.Scales(group, count, scales, mins);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales8(byte** groups, int count, float* scales, float* mins) => Q4_0Decoder.Scales8(groups, count, scales, mins);
}
