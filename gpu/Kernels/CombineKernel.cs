using System.Reflection;
using ILGPU;
using Pure.Engine.Kernels;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Sums what experts made of a row, in the order of their rank, the shared expert last (DeepSeekMoE, arXiv:2401.06066, section 3): the
/// engine's order, so that grouping changes nothing.
/// </summary>
internal static class CombineKernel
{
    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints => [Entry<One>(), Entry<Four>()];

    /// <summary>
    /// y = Σ weight · outputs, rank after rank, + sigmoid(shared gate) · shared; groups are (row, tile of columns), a thread has one column.
    /// </summary>
    /// <param name="slotOfPair">Where each pair's output lies <c>[rows · used]</c>.</param>
    /// <param name="weightOfPair">Weight of each pair <c>[rows · used]</c>.</param>
    /// <param name="used">Experts of a row.</param>
    /// <param name="outputs"><c>[slots, columns]</c>.</param>
    /// <param name="outputStride">From a slot to the next.</param>
    /// <param name="shared">The shared expert's <c>[rows, columns]</c>; empty for none.</param>
    /// <param name="sharedStride">From a row of the shared expert's to the next.</param>
    /// <param name="sharedGate">Logits of its gate; empty for a weight of 1.</param>
    /// <param name="sharedGateStride">From a row's logit to the next.</param>
    /// <param name="y"><c>[rows, columns]</c>.</param>
    /// <param name="yStride">From a row of y to the next.</param>
    /// <param name="columns">Columns of a row.</param>
    internal static void Run<TFloats>(
        ArrayView<int> slotOfPair,
        ArrayView<float> weightOfPair,
        int used,
        ArrayView<TFloats> outputs,
        int outputStride,
        ArrayView<TFloats> shared,
        int sharedStride,
        ArrayView<float> sharedGate,
        int sharedGateStride,
        ArrayView<TFloats> y,
        int yStride,
        int columns)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        int column = (Grid.IdxY * Group.DimX) + Group.IdxX;
        if (column >= columns)
            return;
        int row = Grid.IdxX;
        TFloats sum = default;
        for (int pair = row * used; pair < (row + 1) * used; pair++)
            sum = TFloats.AddScaled(weightOfPair[pair], outputs[((long)slotOfPair[pair] * outputStride) + column], sum);
        if (shared.Length > 0)
        {
            float weight = sharedGate.Length > 0 ? Elementary.Sigmoid(sharedGate[(long)row * sharedGateStride]) : 1f;
            sum = TFloats.AddScaled(weight, shared[((long)row * sharedStride) + column], sum);
        }

        y[((long)row * yStride) + column] = sum;
    }

    private static MethodInfo Entry<TFloats>()
        where TFloats : unmanaged, IFloats<TFloats> =>
        ((Action<ArrayView<int>, ArrayView<float>, int, ArrayView<TFloats>, int, ArrayView<TFloats>, int, ArrayView<float>, int, ArrayView<TFloats>, int, int>)Run).Method;
}
