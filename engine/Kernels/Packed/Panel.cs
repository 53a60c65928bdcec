using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// Up to <see cref="MaxWidth"/> rows of 8-bit activations as the columns of a product, block after block:
/// <code>
/// quants [width, 32] i8 | scale [width] f32 | −sum [width] i32 | −sum of the lower half [width] i32 | −sum of the upper half [width] i32
/// </code>
/// Rows are dealt to as few panels as possible, as evenly as possible: thirteen rows are a panel of seven and one of six.
/// </summary>
internal static unsafe class Panel
{
    /// <summary>Columns whose accumulators fit the registers of the widest processors.</summary>
    internal const int MaxWidth = 12;

    /// <summary>Bytes of one block of one column.</summary>
    internal const int ColumnBytes = 48;

    /// <summary>Bytes of a panel of <paramref name="width"/>, or of all panels of that many rows.</summary>
    internal static long Bytes(int columns, int width) => (long)columns / Activations.BlockSize * ColumnBytes * width;

    /// <summary>Offsets within a block, for a panel of <paramref name="width"/>.</summary>
    internal static int ScaleAt(int width) => 32 * width;

    internal static int MinusSumAt(int width) => 36 * width;

    internal static int MinusLowerAt(int width) => 40 * width;

    internal static int MinusUpperAt(int width) => 44 * width;

    /// <summary>Number of panels of <paramref name="rows"/> rows.</summary>
    internal static int Count(int rows) => (rows + MaxWidth - 1) / MaxWidth;

    /// <summary>First row of panel <paramref name="panel"/>; the number of rows for the panel after the last.</summary>
    internal static int First(int panel, int rows)
    {
        (int width, int wider) = Math.DivRem(rows, Count(rows));
        return (panel * width) + Math.Min(panel, wider);
    }

    /// <summary>Puts some blocks of row <paramref name="row"/> of x, once quantised, into their places in x's panels.</summary>
    internal static void FillRow(in Activations x, int row, int firstBlock, int blocks)
    {
        // As in First: the first panels are one wider than the rest.
        (int width, int wider) = Math.DivRem(x.Rows, Count(x.Rows));
        int inWider = wider * (width + 1);
        (int panel, int column) = row < inWider ? Math.DivRem(row, width + 1) : Math.DivRem(row - inWider, width);
        if (row < inWider)
            width++;
        FillColumn(x, row, width, column, x.Panels + Bytes(x.Columns, row - column), firstBlock, blocks);
    }

    /// <summary>Fills <paramref name="panel"/> with the inputs from <paramref name="first"/> on.</summary>
    internal static void Fill(in Activations x, InputRows inputs, int first, int width, byte* panel)
    {
        for (int column = 0; column < width; column++)
            FillColumn(x, inputs[first + column], width, column, panel, 0, x.Columns / Activations.BlockSize);
    }

    /// <summary>Fills all panels of <paramref name="target"/> with some rows of x, which are quantised.</summary>
    internal static void Gather(in Activations x, ReadOnlySpan<int> rows, in Activations target)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows.Length, target.Rows, nameof(rows));
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Columns, target.Columns, nameof(target));
        foreach (int row in rows)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)x.Rows, nameof(rows));
        fixed (int* first = rows)
        {
            for (int panel = 0; panel < Count(rows.Length); panel++)
            {
                int begin = First(panel, rows.Length);
                int width = First(panel + 1, rows.Length) - begin;
                Fill(x, new InputRows(first, rows.Length), begin, width, target.Panels + Bytes(x.Columns, begin));
            }
        }
    }

    private static void FillColumn(in Activations x, int row, int width, int column, byte* panel, int firstBlock, int blocks)
    {
        int stride = ColumnBytes * width;
        panel += (long)firstBlock * stride;
        long start = ((long)row * x.Stride) + ((long)firstBlock * Activations.BlockSize);
        sbyte* quants = x.Quants + start;
        float* scales = x.Scales + (start / Activations.BlockSize);
        int* sums = x.Sums + (start / Activations.BlockSize);
        for (int block = 0; block < blocks; block++, panel += stride, quants += Activations.BlockSize)
        {
            Vector256.Load(quants).Store((sbyte*)panel + (32 * column));
            int lower = BlockSums.LowerHalf(quants);
            ((float*)(panel + ScaleAt(width)))[column] = scales[block];
            ((int*)(panel + MinusSumAt(width)))[column] = -sums[block];
            ((int*)(panel + MinusLowerAt(width)))[column] = -lower;
            ((int*)(panel + MinusUpperAt(width)))[column] = lower - sums[block];
        }
    }
}
