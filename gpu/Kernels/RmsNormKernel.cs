using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;

namespace Pure.Gpu.Kernels;

/// <summary>Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467, equation 4): a group normalises a row.</summary>
/// <remarks>A thread reads and writes the same columns throughout, so that y may be x.</remarks>
internal static class RmsNormKernel
{
    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints =>
    [
        ((Action<ArrayView<OneFloat>, int, ArrayView<OneFloat>, ArrayView<OneFloat>, int, int, float, float>)Run).Method,
        ((Action<ArrayView<FourFloats>, int, ArrayView<FourFloats>, ArrayView<FourFloats>, int, int, float, float>)Run).Method,
        ((Action<ArrayView<OneFloat>, int, float, ArrayView<OneFloat>, int, ArrayView<OneFloat>, ArrayView<OneFloat>, int, int, float, float>)RunAdded).Method,
        ((Action<ArrayView<FourFloats>, int, float, ArrayView<FourFloats>, int, ArrayView<FourFloats>, ArrayView<FourFloats>, int, int, float, float>)RunAdded).Method,
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
        float sum = 0;
        for (int column = Group.IdxX; column < columns; column += Group.DimX)
            sum = TFloats.AddSquares(x[from + column], sum);
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
        long branchFrom = (long)Grid.IdxX * branchStride;
        float sum = 0;
        for (int column = Group.IdxX; column < columns; column += Group.DimX)
        {
            TFloats value = TFloats.AddScaled(scale, branch[branchFrom + column], x[from + column]);
            x[from + column] = value;
            sum = TFloats.AddSquares(value, sum);
        }

        Scale(x, from, weight, y, (long)Grid.IdxX * yStride, columns, Factor(sum, floats, epsilon));
    }

    private static float Factor(float sum, float floats, float epsilon) => 1 / XMath.Sqrt((GroupSum.Of(sum) / floats) + epsilon);

    private static void Scale<TFloats>(
        ArrayView<TFloats> x, long from, ArrayView<TFloats> weight, ArrayView<TFloats> y, long to, int columns, float factor)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        for (int column = Group.IdxX; column < columns; column += Group.DimX)
            y[to + column] = TFloats.Multiply(TFloats.Multiply(factor, x[from + column]), weight[column]);
    }
}
