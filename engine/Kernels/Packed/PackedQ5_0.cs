using System.Runtime.CompilerServices;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary><code>unit: d f16 × 16 | five-bit codes 320</code></summary>
internal readonly unsafe struct PackedQ5_0 : IPackedFormat
{
    public static ElementType Type => ElementType.Q5_0;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 32 + PackedFiveBits.Bytes;

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = *(ushort*)block;
        PackedFiveBits.Put(block + 6, *(uint*)(block + 2), row, target + 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => TRows.LoadHalves(unit + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedFiveBits.Dot<TRows, TColumns>(unit + 32 + (4 * row), x.Quants(column)) + TColumns.Times(16, x.MinusSums(column));
}
