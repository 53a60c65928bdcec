using System.Runtime.Intrinsics;
using Pure.Engine.Kernels.Emit;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// Packed weights × 8-bit activations. The definition is <see cref="MatMulQ8Kernel"/>'s on the matrix that was packed: a packed matrix
/// gives the same bits.
/// </summary>
internal static unsafe class PackedMatMul<TRows>
    where TRows : struct, IRowLanes<TRows>
{
    /// <summary>Output rows from <paramref name="rowBegin"/>, a multiple of sixteen, to <paramref name="rowEnd"/> - 1.</summary>
    internal static void Run(
        PackedMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride, bool emitted)
    {
        // All rows of a whole buffer lie in panels already; others are brought there first.
        bool areFilled = x.Panels != null && inputs.AreAll && inputs.Count == x.Rows;
        long panelFloats = areFilled ? 0 : Panel.Bytes(x.Columns, Panel.MaxWidth) / sizeof(float);
        float* sums = Scratch.Floats((Panel.MaxWidth * PackedMatrix.GroupRows) + panelFloats);
        var scratch = (byte*)(sums + (Panel.MaxWidth * PackedMatrix.GroupRows));
        int panels = Panel.Count(inputs.Count);
        for (int p = 0; p < panels; p++)
        {
            int first = Panel.First(p, inputs.Count);
            int width = Panel.First(p + 1, inputs.Count) - first;
            byte* panel = areFilled ? x.Panels + Panel.Bytes(x.Columns, first) : scratch;
            if (!areFilled)
                Panel.Fill(x, inputs, first, width, panel);
            for (int row = rowBegin; row < rowEnd; row += PackedMatrix.GroupRows)
            {
                byte* group = weights.Group(row / PackedMatrix.GroupRows);
                if (!emitted || !EmittedKernels.TryRun(weights.Format, group, panel, width, weights.Blocks, sums))
                    PackedKernel<TRows>.Run(weights.Format.Type, group, panel, width, weights.Blocks, sums);
                int rows = Math.Min(PackedMatrix.GroupRows, rowEnd - row);
                for (int i = 0; i < width; i++)
                    Copy(sums + (i * PackedMatrix.GroupRows), y + ((long)(first + i) * yStride) + row, rows);
            }
        }
    }

    /// <summary>
    /// A group's sums of one column. Whole groups without a span: a span that is made here waits for all earlier stores, which miss the
    /// caches, as every column is a row of y.
    /// </summary>
    private static void Copy(float* sums, float* y, int rows)
    {
        if (rows == PackedMatrix.GroupRows)
            Vector512.Load(sums).Store(y);
        else
            new ReadOnlySpan<float>(sums, rows).CopyTo(new Span<float>(y, rows));
    }
}
