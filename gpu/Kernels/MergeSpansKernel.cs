using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;

namespace Pure.Gpu.Kernels;

/// <summary>Merges the spans of each row, which <see cref="AttentionKernel.Spans"/> left in slots, from left to right.</summary>
internal static class MergeSpansKernel
{
    internal static IEnumerable<MethodInfo> EntryPoints => [Of(Run<JointSums1>), Of(Run<JointSums2>), Of(Run<JointSums4>), Of(Run<JointSums8>)];

    /// <summary>Groups for each (some heads, row, some of their elements); a thread takes an element.</summary>
    /// <param name="maxima"><c>[slots, heads of all groups]</c>.</param>
    /// <param name="sums"><c>[slots, heads of all groups]</c>.</param>
    /// <param name="vectors"><c>[slots, groups, ValueSize, heads of a group]</c>.</param>
    /// <param name="rows">The rows' positions and first slots.</param>
    /// <param name="sinks">A score for each head, where there are sinks.</param>
    /// <param name="y"><c>[rows, Heads · ValueSize]</c>.</param>
    /// <param name="shape">What was read.</param>
    internal static void Run<TSums>(
        ArrayView<float> maxima,
        ArrayView<float> sums,
        ArrayView<float> vectors,
        ArrayView<RowPlace> rows,
        ArrayView<float> sinks,
        ArrayView<float> y,
        AttentionShape shape)
        where TSums : struct, IJointSums<TSums>
    {
        int heads = default(TSums).Count;
        int size = shape.ValueSize * heads;
        int item = (Grid.IdxZ * Group.DimX) + Group.IdxX;
        int column = item / heads;
        int head = item - (column * heads);
        if (item >= size || head >= AttentionKernel.UsedHeads(heads, shape))
            return;
        RowPlace row = rows[Grid.IdxY];
        int first = shape.FirstVisible(row.Position) / AttentionKernel.SpanPositions;
        int last = row.Position / AttentionKernel.SpanPositions;
        long slots = ((long)(row.Slot + first) * Grid.DimX) + Grid.IdxX;
        float max = float.NegativeInfinity;
        for (int span = 0; span <= last - first; span++)
            max = XMath.Max(max, maxima[((slots + ((long)span * Grid.DimX)) * heads) + head]);
        float sum = 0;
        float vector = 0;
        for (int span = 0; span <= last - first; span++)
        {
            long slot = slots + ((long)span * Grid.DimX);
            float factor = XMath.Exp(maxima[(slot * heads) + head] - max);
            sum += sums[(slot * heads) + head] * factor;
            vector += vectors[(slot * size) + item] * factor;
        }

        int queryHead = AttentionKernel.FirstHead(heads, shape) + head;
        sum += shape.HasSinks != 0 ? XMath.Exp(sinks[queryHead] - max) : 0;
        y[((((long)Grid.IdxY * shape.Heads) + queryHead) * shape.ValueSize) + column] = vector / sum;
    }

    private static MethodInfo Of(
        Action<ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<RowPlace>, ArrayView<float>, ArrayView<float>, AttentionShape> kernel) =>
        kernel.Method;
}
