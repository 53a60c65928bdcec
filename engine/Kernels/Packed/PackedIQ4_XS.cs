using System.Runtime.CompilerServices;
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
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> =>
        PackedRows.Times<TRows>(header + (2 * row), TRows.LoadSignedBytes(unit + row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedNamedValues.Dot<TRows, TColumns>(unit + 16 + (4 * row), IQ4_NL.Values, x.Quants(column));
}
