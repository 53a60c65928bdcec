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
        ((Action<ArrayView<One>, int, float, ArrayView<One>, int, ArrayView<One>, ArrayView<One>, int, int, float, float>)RunAdded).Method,
        ((Action<ArrayView<Four>, int, float, ArrayView<Four>, int, ArrayView<Four>, ArrayView<Four>, int, int, float, float>)RunAdded).Method,
        ((Action<ArrayView<Four>, int, ArrayView<Four>, InputView, int, float, float>)RunQuantized).Method,
        ((Action<ArrayView<Four>, int, float, ArrayView<Four>, int, ArrayView<Four>, InputView, int, float, float>)RunAddedQuantized).Method,
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

    /// <summary>x = fma(scale, branch, x), then y = x / √(mean(x²) + epsilon) ⊙ weight: the end of one sublayer and the beginning of the next.</summary>
    /// <param name="branch"><c>[rows, columns]</c>.</param>
    /// <param name="branchStride">From a row of the branch to the next.</param>
    /// <param name="scale">Factor on the branch.</param>
    /// <param name="x"><c>[rows, columns]</c>.</param>
    /// <param name="xStride">From a row of x to the next.</param>
    /// <param name="weight">Gain <c>[columns]</c>.</param>
    /// <param name="y"><c>[rows, columns]</c>; may be <paramref name="branch"/>.</param>
    /// <param name="yStride">From a row of y to the next.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="floats">Floats of a row.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    internal static void RunAdded<TFloats>(
        ArrayView<TFloats> branch,
        int branchStride,
        float scale,
        ArrayView<TFloats> x,
        int xStride,
        ArrayView<TFloats> weight,
        ArrayView<TFloats> y,
        int yStride,
        int columns,
        float floats,
        float epsilon)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        long from = (long)Grid.IdxX * xStride;
        float sum = Add(branch, (long)Grid.IdxX * branchStride, scale, x, from, columns);
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

    /// <summary><see cref="RunAdded"/> with the 8-bit form of y beside it.</summary>
    internal static void RunAddedQuantized(
        ArrayView<Four> branch,
        int branchStride,
        float scale,
        ArrayView<Four> x,
        int xStride,
        ArrayView<Four> weight,
        InputView y,
        int columns,
        float floats,
        float epsilon)
    {
        long from = (long)Grid.IdxX * xStride;
        float sum = Add(branch, (long)Grid.IdxX * branchStride, scale, x, from, columns);
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

    /// <summary>Adds the branch to x and sums the squares of what results.</summary>
    private static float Add<TFloats>(ArrayView<TFloats> branch, long branchFrom, float scale, ArrayView<TFloats> x, long from, int columns)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        float sum = 0;
        for (int column = Group.IdxX; column < columns; column += Group.DimX)
        {
            TFloats value = TFloats.AddScaled(scale, branch[branchFrom + column], x[from + column]);
            x[from + column] = value;
            sum = TFloats.AddSquares(value, sum);
        }

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

    /// <summary>A thread scales eight columns, which others may have written: <see cref="Factor"/> has waited for them.</summary>
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
