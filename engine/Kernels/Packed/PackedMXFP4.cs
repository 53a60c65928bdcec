using System.Runtime.CompilerServices;
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
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> =>
        TRows.LoadBrains(unit + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedNamedValues.Dot<TRows, TColumns>(unit + 32 + (4 * row), MXFP4.Values, x.Quants(column));
}
