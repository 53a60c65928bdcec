using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Decoders;

internal readonly unsafe struct IQ4_XSDecoder : IBlockDecoder
{
    public static int SubBlocks => 8;

    public static int BlockBytes => 136;

    public static bool IsSigned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Codes(byte* group, int s) => Nibbles.Load(group + 8 + (s << 4), IQ4_NL.Values);

    public static void Scales(byte* group, int count, float* scales, float* mins)
    {
        float d = F16.Widen(*(ushort*)group);
        for (int s = 0; s < 8; s++)
            scales[s] = d * IQ4_XS.Scale(group, s);
    }

    public static void Scales8(byte** groups, int count, float* scales, float* mins)
    {
        // Fields of four bits, and of two, are spread to the bytes of a word by halving distances.
        ulong* bytes = stackalloc ulong[8];
        for (int row = 0; row < 8; row++)
        {
            ulong low = *(uint*)(groups[row] + 4);
            low = (low | (low << 16)) & 0x0000_FFFF_0000_FFFF;
            low = (low | (low << 8)) & 0x00FF_00FF_00FF_00FF;
            low = (low | (low << 4)) & 0x0F0F_0F0F_0F0F_0F0F;
            ulong high = *(ushort*)(groups[row] + 2);
            high = (high | (high << 24)) & 0x0000_00FF_0000_00FF;
            high = (high | (high << 12)) & 0x000F_000F_000F_000F;
            high = (high | (high << 6)) & 0x0303_0303_0303_0303;
            bytes[row] = low | (high << 4);
        }

        EightRows.Scaled(bytes, EightRows.Halves(groups, 0), scales, zero: 32);
    }
}
