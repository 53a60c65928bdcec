using System.Runtime.CompilerServices;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary><code>unit: d f16 × 16 | nibbles 256</code></summary>
internal readonly unsafe struct PackedIQ4_NL : IPackedFormat
{
    public static ElementType Type => ElementType.IQ4_NL;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 32 + PackedNibbles.Bytes;

    public static void Pack(byte* block, int row, byte* target) => PackedQ4_0.Pack(block, row, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => TRows.LoadHalves(unit + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedNamedValues.Dot<TRows, TColumns>(unit + 32 + (4 * row), IQ4_NL.Values, x.Quants(column));
}
