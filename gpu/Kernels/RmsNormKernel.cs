using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;

namespace Pure.Gpu.Kernels;

/// <summary>Root-mean-square normalisation (Zhang and Sennrich 2019, arXiv:1910.07467, equation 4): a warp normalises a row.</summary>
internal static class RmsNormKernel
{
    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints => [((Action<ArrayView<float>, ArrayView<float>, ArrayView<float>, int, float>)Run).Method];

    /// <summary>A group of one warp for each row.</summary>
    /// <param name="x"><c>[rows, columns]</c>.</param>
    /// <param name="weight">Gain <c>[columns]</c>.</param>
    /// <param name="y"><c>[rows, columns]</c>; may be <paramref name="x"/>.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    internal static void Run(ArrayView<float> x, ArrayView<float> weight, ArrayView<float> y, int columns, float epsilon)
    {
        long start = (long)Grid.IdxX * columns;
        float sum = 0;
        for (int column = Warp.LaneIdx; column < columns; column += Warp.WarpSize)
            sum += x[start + column] * x[start + column];
        sum = WarpSum.Of(sum);
        float scale = 1 / XMath.Sqrt((sum / columns) + epsilon);
        for (int column = Warp.LaneIdx; column < columns; column += Warp.WarpSize)
            y[start + column] = x[start + column] * scale * weight[column];
    }
}
