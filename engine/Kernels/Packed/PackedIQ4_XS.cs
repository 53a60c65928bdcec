using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// The six-bit scales become signed bytes:
/// <code>
/// header: d f16 × 16
/// unit:   scale i8 × 16 | nibbles 256
/// </code>
/// </summary>
internal readonly unsafe struct PackedIQ4_XS : IPackedFormat
{
    public static ElementType Type => ElementType.IQ4_XS;

    public static int Units => 8;

    public static int HeaderBytes => 32;

    public static int UnitBytes => 16 + PackedNibbles.Bytes;

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = *(ushort*)block;
        for (int s = 0; s < Units; s++)
        {
            byte* unit = target + HeaderBytes + (s * UnitBytes);
            ((sbyte*)unit)[row] = (sbyte)IQ4_XS.Scale(block, s);
            PackedNibbles.Put(block + 8 + (16 * s), row, unit + 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* header, byte* unit, int half) =>
        PackedRows.Halves(header + (16 * half)) * Avx.ConvertToVector256Single(PackedRows.SignedBytes(unit + (8 * half)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column) =>
        PackedNamedValues.Dot(unit + 16 + (32 * half), IQ4_NL.Values, x.Quants(column));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column) =>
        PackedNamedValues.Dot4(unit + 16 + (32 * half), IQ4_NL.Values, x.Quants(column));
}
