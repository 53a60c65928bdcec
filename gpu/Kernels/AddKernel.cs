using System.Reflection;
using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>Adds rows to rows: a residual branch.</summary>
internal static class AddKernel
{
    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints =>
    [
        ((Action<ArrayView<One>, int, float, ArrayView<One>, int, int>)Run).Method,
        ((Action<ArrayView<Four>, int, float, ArrayView<Four>, int, int>)Run).Method,
    ];

    /// <summary>y = fma(scale, x, y); groups are (row, tile of columns), a thread has one column.</summary>
    /// <param name="x"><c>[rows, columns]</c>.</param>
    /// <param name="xStride">From a row of x to the next.</param>
    /// <param name="scale">Factor on x.</param>
    /// <param name="y"><c>[rows, columns]</c>.</param>
    /// <param name="yStride">From a row of y to the next.</param>
    /// <param name="columns">Columns of a row.</param>
    internal static void Run<TFloats>(ArrayView<TFloats> x, int xStride, float scale, ArrayView<TFloats> y, int yStride, int columns)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        int column = (Grid.IdxY * Group.DimX) + Group.IdxX;
        if (column >= columns)
            return;
        long to = ((long)Grid.IdxX * yStride) + column;
        y[to] = TFloats.AddScaled(scale, x[((long)Grid.IdxX * xStride) + column], y[to]);
    }
}
