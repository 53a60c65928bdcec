using System.Runtime.CompilerServices;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary><code>unit: d f16 × 16 | eight vectors of signed bytes: lane r, byte j of vector v is element 4v + j</code></summary>
internal readonly unsafe struct PackedQ8_0 : IPackedFormat
{
    public static ElementType Type => ElementType.Q8_0;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 32 + (16 * 32);

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = *(ushort*)block;
        var source = (uint*)(block + 2);
        uint* lane = (uint*)(target + 32) + row;
        for (int vector = 0; vector < 8; vector++)
            lane[vector * 16] = source[vector];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => TRows.LoadHalves(unit + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows>
    {
        byte* quants = x.Quants(column);
        TColumns sums = default;
        for (int v = 0; v < 8; v++)
            sums = sums.AddSignedProducts(TRows.Load(unit + 32 + (4 * row) + (64 * v)), quants + (4 * v));
        return sums;
    }
}
