using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Rotary position embedding (Su et al. 2021, arXiv:2104.09864, equation 34) of heads, after the norm of queries and keys where the family
/// has one. Angles come from the host, which has them in double precision: the same bits as without a GPU.
/// </summary>
internal static class RotateKernel
{
    internal static IEnumerable<MethodInfo> EntryPoints =>
        [((Action<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RotateShape>)Run).Method];

    /// <summary>A group of one warp for each (unit, row).</summary>
    /// <param name="source">Rows of units.</param>
    /// <param name="gain">The norm's weight <c>[NormSize]</c>; not read where there is none.</param>
    /// <param name="cos"><c>[rows, Pairs]</c>.</param>
    /// <param name="sin"><c>[rows, Pairs]</c>.</param>
    /// <param name="target">Rows of units; may be the source.</param>
    /// <param name="shape">What lies where.</param>
    internal static void Run(
        ArrayView<float> source, ArrayView<float> gain, ArrayView<float> cos, ArrayView<float> sin, ArrayView<float> target, RotateShape shape)
    {
        long from = ((long)Grid.IdxY * shape.SourceStride) + shape.SourceColumn + (Grid.IdxX * shape.SourceUnit);
        long to = ((long)Grid.IdxY * shape.TargetStride) + shape.TargetColumn + (Grid.IdxX * shape.TargetUnit);
        float square = 0;
        for (int column = Warp.LaneIdx; column < shape.NormSize; column += Warp.WarpSize)
            square += source[from + column] * source[from + column];
        square = WarpSum.Of(square);
        float scale = 1 / XMath.Sqrt((square / XMath.Max(1, shape.NormSize)) + shape.Epsilon);
        for (int column = Warp.LaneIdx; column < shape.NormSize; column += Warp.WarpSize)
            target[to + column] = source[from + column] * scale * gain[column];
        for (int column = shape.NormSize + Warp.LaneIdx; column < shape.UnitSize; column += Warp.WarpSize)
            target[to + column] = source[from + column];
        Group.Barrier();

        int pairs = shape.UnitSize / shape.HeadSize * shape.Pairs;
        for (int item = Warp.LaneIdx; item < pairs; item += Warp.WarpSize)
        {
            int head = item / shape.Pairs;
            int pair = item - (head * shape.Pairs);
            long first = to + (head * shape.HeadSize) + shape.RotaryColumn + (pair * shape.Step);
            long second = first + shape.Distance;
            float c = cos[(Grid.IdxY * shape.Pairs) + pair];
            float s = sin[(Grid.IdxY * shape.Pairs) + pair];
            float x = target[first];
            float y = target[second];
            target[first] = (x * c) - (y * s);
            target[second] = (x * s) + (y * c);
        }
    }
}
