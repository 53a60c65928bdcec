using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;

namespace Pure.Gpu.Kernels;

/// <summary>Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467, equation 4): a group normalises a row.</summary>
/// <remarks>A thread reads and writes the same columns throughout, so that y may be x; the quantised forms have a y of their own.</remarks>
internal static class RmsNormKernel
{
    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints =>
    [
        ((Action<ArrayView<One>, int, ArrayView<One>, ArrayView<One>, int, int, float, float>)Run).Method,
        ((Action<ArrayView<Four>, int, ArrayView<Four>, ArrayView<Four>, int, int, float, float>)Run).Method,
        ((Action<ArrayView<Four>, int, ArrayView<Four>, InputView, int, float, float>)RunQuantized).Method,
    ];

    /// <summary>y = x / √(mean(x²) + epsilon) ⊙ weight; groups of whole warps, one for each row.</summary>
    /// <param name="x"><c>[rows, columns]</c>.</param>
    /// <param name="xStride">From a row of x to the next.</param>
    /// <param name="weight">Gain <c>[columns]</c>.</param>
    /// <param name="y"><c>[rows, columns]</c>; may be <paramref name="x"/>.</param>
    /// <param name="yStride">From a row of y to the next.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="floats">Floats of a row.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    internal static void Run<TFloats>(
        ArrayView<TFloats> x, int xStride, ArrayView<TFloats> weight, ArrayView<TFloats> y, int yStride, int columns, float floats, float epsilon)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        long from = (long)Grid.IdxX * xStride;
        float sum = SumOfSquares(x, from, columns);
        Scale(x, from, weight, y, (long)Grid.IdxX * yStride, columns, Factor(sum, floats, epsilon));
    }

    /// <summary><see cref="Run"/> with the 8-bit form of y beside it.</summary>
    internal static void RunQuantized(
        ArrayView<Four> x, int xStride, ArrayView<Four> weight, InputView y, int columns, float floats, float epsilon)
    {
        long from = (long)Grid.IdxX * xStride;
        float sum = SumOfSquares(x, from, columns);
        ScaleAndQuantize(x, from, weight, y, columns, Factor(sum, floats, epsilon));
    }

    private static float SumOfSquares<TFloats>(ArrayView<TFloats> x, long from, int columns)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        float sum = 0;
        for (int column = Group.IdxX; column < columns; column += Group.DimX)
            sum = TFloats.AddSquares(x[from + column], sum);
        return sum;
    }

    private static float Factor(float sum, float floats, float epsilon) => 1 / XMath.Sqrt((GroupSum.Of(sum) / floats) + epsilon);

    private static void Scale<TFloats>(
        ArrayView<TFloats> x, long from, ArrayView<TFloats> weight, ArrayView<TFloats> y, long to, int columns, float factor)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        for (int column = Group.IdxX; column < columns; column += Group.DimX)
            y[to + column] = TFloats.Multiply(TFloats.Multiply(factor, x[from + column]), weight[column]);
    }

    /// <summary>A thread scales eight columns.</summary>
    private static void ScaleAndQuantize(ArrayView<Four> x, long from, ArrayView<Four> weight, InputView y, int columns, float factor)
    {
        int eights = columns / 2;
        long to = (long)Grid.IdxX * eights;
        for (int first = 0; first < eights; first += Group.DimX)
        {
            int eight = IntrinsicMath.Min(first + Group.IdxX, eights - 1);
            int column = 2 * eight;
            Four a = Four.Multiply(Four.Multiply(factor, x[from + column]), weight[column]);
            Four b = Four.Multiply(Four.Multiply(factor, x[from + column + 1]), weight[column + 1]);
            y.Store(a, b, to + eight, first + Group.IdxX < eights);
        }
    }
}
