using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Decoders;

internal readonly unsafe struct Q5_1Decoder : IBlockDecoder
{
    public static int SubBlocks => 1;

    public static int BlockBytes => 24;

    public static bool IsSigned => false;

    /// <summary>A least value that is added is a minimum of the other sign that is subtracted.</summary>
    public static bool HasMins => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s) => Nibbles.Load(group + (s * 24) + 8, *(uint*)(group + (s * 24) + 4));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
        {
            scales[s] = F16.Widen(*(ushort*)(group + (s * 24)));
            mins[s] = -F16.Widen(*(ushort*)(group + (s * 24) + 2));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
        {
            EightRows.Halves(groups, s * 24).Store(scales + (s * 8));
            (-EightRows.Halves(groups, (s * 24) + 2)).Store(mins + (s * 8));
        }
    }
}
