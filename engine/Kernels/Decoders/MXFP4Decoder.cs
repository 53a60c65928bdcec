using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Decoders;

internal readonly unsafe struct MXFP4Decoder : IBlockDecoder
{
    public static int SubBlocks => 1;

    public static int BlockBytes => 17;

    public static bool IsSigned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s) => Nibbles.Load(group + (s * 17) + 1, MXFP4.Values);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* group, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
            scales[s] = MXFP4.Scale(group[s * 17]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        for (int s = 0; s < count; s++)
        {
            Vector256<int> e = Vector256.Create(
                groups[0][s * 17],
                groups[1][s * 17],
                groups[2][s * 17],
                groups[3][s * 17],
                groups[4][s * 17],
                groups[5][s * 17],
                groups[6][s * 17],
                groups[7][s * 17]);
            PowersOfTwo(e).Store(scales + (s * 8));
        }
    }

    /// <summary>2^(e − 128): e − 1 in the exponent's place, and the fraction's upper bits where e is 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> PowersOfTwo(Vector256<int> e)
    {
        Vector256<int> normal = (e - Vector256<int>.One) << 23;
        Vector256<int> denormal = Vector256.Create(0x0020_0000) + (e << 21);
        return Vector256.ConditionalSelect(Vector256.LessThan(e, Vector256.Create(2)), denormal, normal).AsSingle();
    }
}
