using System.Runtime.CompilerServices;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>Sixteen packed rows × a panel of columns, over all blocks: as many rows as a register holds and four columns at a time.</summary>
internal static unsafe class PackedKernel<TRows>
    where TRows : struct, IRowLanes<TRows>
{
    /// <param name="type">Of the weights.</param>
    /// <param name="weights">A group of a <see cref="PackedMatrix"/>.</param>
    /// <param name="panel">A <see cref="Panel"/>.</param>
    /// <param name="width">Its columns.</param>
    /// <param name="blocks">Blocks of a row, as the type stores them.</param>
    /// <param name="sums">The products <c>[width, 16]</c>.</param>
    internal static void Run(ElementType type, byte* weights, byte* panel, int width, int blocks, float* sums)
    {
        switch (type)
        {
            case ElementType.Q4_0: Run<PackedQ4_0>(weights, panel, width, blocks, sums); break;
            case ElementType.Q4_1: Run<PackedQ4_1>(weights, panel, width, blocks, sums); break;
            case ElementType.Q5_0: Run<PackedQ5_0>(weights, panel, width, blocks, sums); break;
            case ElementType.Q5_1: Run<PackedQ5_1>(weights, panel, width, blocks, sums); break;
            case ElementType.Q8_0: Run<PackedQ8_0>(weights, panel, width, blocks, sums); break;
            case ElementType.IQ4_NL: Run<PackedIQ4_NL>(weights, panel, width, blocks, sums); break;
            case ElementType.MXFP4: Run<PackedMXFP4>(weights, panel, width, blocks, sums); break;
            case ElementType.Q2_K: Run<PackedQ2_K>(weights, panel, width, blocks, sums); break;
            case ElementType.Q3_K: Run<PackedQ3_K>(weights, panel, width, blocks, sums); break;
            case ElementType.Q4_K: Run<PackedQ4_K>(weights, panel, width, blocks, sums); break;
            case ElementType.Q5_K: Run<PackedQ5_K>(weights, panel, width, blocks, sums); break;
            case ElementType.Q6_K: Run<PackedQ6_K>(weights, panel, width, blocks, sums); break;
            case ElementType.IQ4_XS: Run<PackedIQ4_XS>(weights, panel, width, blocks, sums); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "There is no packed form of this element type.");
        }
    }

    private static void Run<TFormat>(byte* weights, byte* panel, int width, int blocks, float* sums)
        where TFormat : struct, IPackedFormat
    {
        if (width == 1)
        {
            for (int row = 0; row < PackedMatrix.GroupRows; row += TRows.Rows)
                One<TFormat>(weights, panel, blocks, row, sums + row);
            return;
        }

        new Span<float>(sums, width * PackedMatrix.GroupRows).Clear();
        for (int block = 0; block < blocks; block++)
        {
            byte* unit = weights + TFormat.HeaderBytes;
            for (int s = 0; s < TFormat.Units; s++)
            {
                var x = new PanelBlock(panel, width);
                for (int row = 0; row < PackedMatrix.GroupRows; row += TRows.Rows)
                    Unit<TFormat>(weights, unit, row, x, width, sums + row);
                unit += TFormat.UnitBytes;
                panel += Panel.ColumnBytes * width;
            }

            weights = unit;
        }
    }

    private static void Unit<TFormat>(byte* header, byte* unit, int row, in PanelBlock x, int width, float* sums)
        where TFormat : struct, IPackedFormat
    {
        TRows scales = TFormat.Scales<TRows>(header, unit, row);
        TRows mins = TFormat.Mins<TRows>(header, unit, row);
        int column = 0;
        for (; column <= width - 4; column += 4)
        {
            FourColumns<TRows> dots = TFormat.Dot<TRows, FourColumns<TRows>>(unit, row, x, column);
            float* target = sums + (column * PackedMatrix.GroupRows);
            Add<TFormat>(dots.First, unit, row, scales, mins, x, column, target);
            Add<TFormat>(dots.Second, unit, row, scales, mins, x, column + 1, target + PackedMatrix.GroupRows);
            Add<TFormat>(dots.Third, unit, row, scales, mins, x, column + 2, target + (2 * PackedMatrix.GroupRows));
            Add<TFormat>(dots.Fourth, unit, row, scales, mins, x, column + 3, target + (3 * PackedMatrix.GroupRows));
        }

        for (; column < width; column++)
        {
            TRows dots = TFormat.Dot<TRows, OneColumn<TRows>>(unit, row, x, column).Sum;
            Add<TFormat>(dots, unit, row, scales, mins, x, column, sums + (column * PackedMatrix.GroupRows));
        }
    }

    private static void One<TFormat>(byte* weights, byte* panel, int blocks, int row, float* sums)
        where TFormat : struct, IPackedFormat
    {
        TRows acc = default;
        for (int block = 0; block < blocks; block++)
        {
            byte* unit = weights + TFormat.HeaderBytes;
            for (int s = 0; s < TFormat.Units; s++)
            {
                var x = new PanelBlock(panel, 1);
                TRows scales = TFormat.Scales<TRows>(weights, unit, row);
                TRows mins = TFormat.Mins<TRows>(weights, unit, row);
                TRows dots = TFormat.Dot<TRows, OneColumn<TRows>>(unit, row, x, 0).Sum;
                acc = Add<TFormat>(dots, unit, row, scales, mins, x, 0, acc);
                unit += TFormat.UnitBytes;
                panel += Panel.ColumnBytes;
            }

            weights = unit;
        }

        TRows.StoreFloats(acc, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TFormat>(
        TRows dots, byte* unit, int row, TRows scales, TRows mins, in PanelBlock x, int column, float* target)
        where TFormat : struct, IPackedFormat =>
        TRows.StoreFloats(Add<TFormat>(dots, unit, row, scales, mins, x, column, TRows.LoadFloats(target)), target);

    /// <summary>The definition's step for one sub-block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRows Add<TFormat>(
        TRows dots, byte* unit, int row, TRows scales, TRows mins, in PanelBlock x, int column, TRows acc)
        where TFormat : struct, IPackedFormat
    {
        TRows scale = TRows.BroadcastFloat(x.Scale(column));
        acc = TRows.FusedMultiplyAdd(TRows.ToFloats(dots), TRows.MultiplyFloats(scales, scale), acc);
        if (!TFormat.HasMins)
            return acc;
        TRows sums = TRows.ToFloats(TFormat.MinusSums<TRows>(unit, row, x, column));
        return TRows.FusedMultiplyAdd(sums, TRows.MultiplyFloats(mins, scale), acc);
    }
}
