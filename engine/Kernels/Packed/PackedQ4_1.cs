using System.Runtime.CompilerServices;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// A least value that is added is a minimum of the other sign that is subtracted:
/// <code>unit: d f16 × 16 | −m f16 × 16 | nibbles 256</code>
/// </summary>
internal readonly unsafe struct PackedQ4_1 : IPackedFormat
{
    public static ElementType Type => ElementType.Q4_1;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 64 + PackedNibbles.Bytes;

    public static void Pack(byte* block, int row, byte* target)
    {
        PackedRows.PutScaleAndLeast(block, row, target);
        PackedNibbles.Put(block + 4, row, target + 64);
    }

    public static bool HasMins => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => TRows.LoadHalves(unit + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Mins<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => TRows.LoadHalves(unit + 32 + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedNibbles.Dot<TRows, TColumns>(unit + 64 + (4 * row), x.Quants(column));
}
