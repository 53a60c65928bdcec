using System.Reflection;
using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>Divides rows by a constant.</summary>
internal static class DivideKernel
{
    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints =>
    [
        ((Action<ArrayView<One>, int, int, float>)Run).Method,
        ((Action<ArrayView<Four>, int, int, float>)Run).Method,
    ];

    /// <summary>y = y / divisor; groups are (row, tile of columns), a thread has one column.</summary>
    /// <param name="y"><c>[rows, columns]</c>.</param>
    /// <param name="yStride">From a row of y to the next.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="divisor">Not 0.</param>
    internal static void Run<TFloats>(ArrayView<TFloats> y, int yStride, int columns, float divisor)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        int column = (Grid.IdxY * Group.DimX) + Group.IdxX;
        if (column >= columns)
            return;
        long to = ((long)Grid.IdxX * yStride) + column;
        y[to] = TFloats.Divide(y[to], divisor);
    }
}
