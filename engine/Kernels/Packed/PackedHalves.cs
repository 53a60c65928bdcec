using System.Runtime.CompilerServices;

namespace Pure.Engine.Kernels.Packed;

/// <summary>A sub-block whose halves of sixteen elements have integer scales of their own.</summary>
internal unsafe interface IHalvedUnit
{
    /// <summary>What is subtracted from each code.</summary>
    static abstract int Zero { get; }

    /// <summary>The rows' integer scales of the lower half, and of the upper.</summary>
    static abstract void HalfScales<TRows>(byte* unit, int row, out TRows lower, out TRows upper)
        where TRows : struct, IRowLanes<TRows>;

    /// <summary>Sixteen codes of each row: elements 8h … (a), 8h + 4 … (b), 16 + 8h … (c), 20 + 8h … (d), at most 63.</summary>
    static abstract void Codes<TRows>(byte* unit, int row, int h, out TRows a, out TRows b, out TRows c, out TRows d)
        where TRows : struct, IRowLanes<TRows>;
}

/// <summary>Integer sums of such sub-blocks, the halves combined.</summary>
internal static unsafe class PackedHalves<TUnit>
    where TUnit : struct, IHalvedUnit
{
    /// <summary>Sums of 32 products. Codes of a place add up to 2 · 63 = 126 at most.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows>
    {
        byte* quants = x.Quants(column);
        TColumns lower = TColumns.Times(TUnit.Zero, x.MinusLowers(column));
        TColumns upper = TColumns.Times(TUnit.Zero, x.MinusUppers(column));
        for (int h = 0; h < 2; h++)
        {
            TUnit.Codes(unit, row, h, out TRows a, out TRows b, out TRows c, out TRows d);
            byte* at = quants + (8 * h);
            lower += default(TColumns).AddProducts(a, at).AddProducts(b, at + 4).Whole();
            upper += default(TColumns).AddProducts(c, at + 16).AddProducts(d, at + 20).Whole();
        }

        TUnit.HalfScales(unit, row, out TRows lowerScales, out TRows upperScales);
        return (lower * lowerScales) + (upper * upperScales);
    }
}
