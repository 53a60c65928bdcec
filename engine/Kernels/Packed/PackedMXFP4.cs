using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// The upper half of a float holds every power of two that a scale can be:
/// <code>unit: 2^(e − 128) bf16 × 16 | nibbles 256</code>
/// </summary>
internal readonly unsafe struct PackedMXFP4 : IPackedFormat
{
    public static ElementType Type => ElementType.MXFP4;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 32 + PackedNibbles.Bytes;

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = (ushort)(BitConverter.SingleToUInt32Bits(MXFP4.Scale(*block)) >> 16);
        PackedNibbles.Put(block + 1, row, target + 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* header, byte* unit, int half) =>
        (Avx2.ConvertToVector256Int32((ushort*)unit + (8 * half)) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column) =>
        PackedNamedValues.Dot(unit + 32 + (32 * half), MXFP4.Values, x.Quants(column));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column) =>
        PackedNamedValues.Dot4(unit + 32 + (32 * half), MXFP4.Values, x.Quants(column));
}
