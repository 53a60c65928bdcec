using System.Reflection;
using ILGPU;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Top-k routing as <see cref="Router.Choose"/> defines it (DeepSeek-V2, arXiv:2405.04434, section 2.2; DeepSeek-V3, arXiv:2412.19437,
/// equations 12–16): a warp chooses a row's experts. Sums of a softmax over all experts are taken in another order than the engine's.
/// </summary>
internal static class RouterKernel
{
    /// <summary>Most experts and groups of them.</summary>
    internal const int MaxExperts = 512;

    /// <summary>Most experts of a row.</summary>
    internal const int MaxUsed = 64;

    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints =>
    [
        ((Action<ArrayView<float>, int, ArrayView<float>, Choice, ArrayView<int>, ArrayView<float>>)Run).Method,
        ((Action<ArrayView<float>, ArrayView<float>, Choice, ArrayView<int>, ArrayView<float>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>>)RunOneRow).Method,
    ];

    /// <summary>A group of one warp for each row.</summary>
    /// <param name="logits"><c>[rows, experts]</c>.</param>
    /// <param name="logitStride">From a row of logits to the next.</param>
    /// <param name="bias">Selection bias <c>[experts]</c>; empty for none.</param>
    /// <param name="choice">How experts are chosen.</param>
    /// <param name="expertOfPair">Expert of each pair, numbered row · used + rank.</param>
    /// <param name="weightOfPair">Weight of each pair.</param>
    internal static void Run(
        ArrayView<float> logits, int logitStride, ArrayView<float> bias, Choice choice, ArrayView<int> expertOfPair, ArrayView<float> weightOfPair) =>
        Choose(
            SharedMemory.Allocate<int>(MaxUsed), logits, (long)Grid.IdxX * logitStride, bias, choice, expertOfPair, weightOfPair, Grid.IdxX * choice.Used);

    /// <summary>
    /// One row, which is what a token usually is: its experts differ, so that sorting them (see <see cref="GroupKernel"/>) is to count
    /// those with a lower index.
    /// </summary>
    internal static void RunOneRow(
        ArrayView<float> logits,
        ArrayView<float> bias,
        Choice choice,
        ArrayView<int> expertOfPair,
        ArrayView<float> weightOfPair,
        ArrayView<int> slotOfPair,
        ArrayView<int> rowOfSlot,
        ArrayView<int> expertOfSlot,
        ArrayView<int> firstSlotOfExpert)
    {
        ArrayView<int> chosen = SharedMemory.Allocate<int>(MaxUsed);
        Choose(chosen, logits, 0, bias, choice, expertOfPair, weightOfPair, 0);
        Group.Barrier();
        for (int rank = Warp.LaneIdx; rank < choice.Used; rank += Warp.WarpSize)
        {
            int expert = chosen[rank];
            int slot = CountBelow(chosen, choice.Used, expert, rank);
            slotOfPair[rank] = slot;
            rowOfSlot[slot] = 0;
            expertOfSlot[slot] = expert;
        }

        for (int expert = Warp.LaneIdx; expert <= choice.Experts; expert += Warp.WarpSize)
            firstSlotOfExpert[expert] = CountBelow(chosen, choice.Used, expert, 0);
    }

    private static void Choose(
        ArrayView<int> chosen,
        ArrayView<float> logits,
        long from,
        ArrayView<float> bias,
        Choice choice,
        ArrayView<int> expertOfPair,
        ArrayView<float> weightOfPair,
        int firstPair)
    {
        // A lane writes elements lane, lane + 32, … alone: it need not wait before it reads those again.
        ArrayView<float> scores = SharedMemory.Allocate<float>(MaxExperts);
        ArrayView<float> ranking = SharedMemory.Allocate<float>(MaxExperts);
        for (int expert = Warp.LaneIdx; expert < choice.Experts; expert += Warp.WarpSize)
            scores[expert] = logits[from + expert];
        if (choice.Gate == (int)GateFunction.Softmax)
            Softmax(scores, choice.Experts);
        if (choice.Gate == (int)GateFunction.Sigmoid)
        {
            for (int expert = Warp.LaneIdx; expert < choice.Experts; expert += Warp.WarpSize)
                scores[expert] = Elementary.Sigmoid(scores[expert]);
        }

        for (int expert = Warp.LaneIdx; expert < choice.Experts; expert += Warp.WarpSize)
            ranking[expert] = bias.Length > 0 ? scores[expert] + bias[expert] : scores[expert];
        Group.Barrier();
        if (choice.Groups > 1)
            ExcludeGroups(ranking, choice);

        ArrayView<float> weights = SharedMemory.Allocate<float>(MaxUsed);
        float sum = 0;
        for (int rank = 0; rank < choice.Used; rank++)
        {
            int best = ArgMax(ranking, choice.Experts);
            sum += scores[best];
            if (Warp.LaneIdx == best % Warp.WarpSize)
                ranking[best] = float.NegativeInfinity;
            if (Warp.LaneIdx == rank % Warp.WarpSize)
            {
                chosen[rank] = best;
                weights[rank] = scores[best];
                expertOfPair[firstPair + rank] = best;
            }
        }

        // Sigmoids of very negative logits may all be zero: the engine adds the same 1e-20.
        float scale = choice.NormalizeWeights != 0 ? choice.WeightScale / (sum + 1e-20f) : choice.WeightScale;
        if (choice.Gate == (int)GateFunction.SoftmaxOfChosen)
        {
            Softmax(weights, choice.Used);
            scale = 1;
        }

        for (int rank = Warp.LaneIdx; rank < choice.Used; rank += Warp.WarpSize)
            weightOfPair[firstPair + rank] = weights[rank] * scale;
    }

    private static void Softmax(ArrayView<float> values, int count)
    {
        int best = ArgMax(values, count);
        Group.Barrier();
        float max = values[best];
        Group.Barrier();
        float sum = 0;
        for (int i = Warp.LaneIdx; i < count; i += Warp.WarpSize)
        {
            values[i] = Elementary.Exp(values[i] - max);
            sum += values[i];
        }

        sum = WarpSum.Of(sum);
        for (int i = Warp.LaneIdx; i < count; i += Warp.WarpSize)
            values[i] /= sum;
    }

    /// <summary>Takes the experts of all but the best groups out of the ranking.</summary>
    private static void ExcludeGroups(ArrayView<float> ranking, Choice choice)
    {
        ArrayView<float> groups = SharedMemory.Allocate<float>(MaxExperts);
        ArrayView<int> kept = SharedMemory.Allocate<int>(MaxExperts);
        int size = choice.Experts / choice.Groups;
        for (int group = Warp.LaneIdx; group < choice.Groups; group += Warp.WarpSize)
        {
            float best = float.NegativeInfinity;
            float second = float.NegativeInfinity;
            for (int expert = group * size; expert < (group + 1) * size; expert++)
            {
                float value = ranking[expert];
                second = value > best ? best : value > second ? value : second;
                best = value > best ? value : best;
            }

            groups[group] = choice.GroupScore == (int)GroupScore.Max || size == 1 ? best : best + second;
            kept[group] = 0;
        }

        for (int rank = 0; rank < choice.UsedGroups; rank++)
        {
            int best = ArgMax(groups, choice.Groups);
            if (Warp.LaneIdx == best % Warp.WarpSize)
            {
                groups[best] = float.NegativeInfinity;
                kept[best] = 1;
            }
        }

        Group.Barrier();
        for (int expert = Warp.LaneIdx; expert < choice.Experts; expert += Warp.WarpSize)
        {
            if (kept[expert / size] == 0)
                ranking[expert] = float.NegativeInfinity;
        }
    }

    /// <summary>
    /// The index of the largest value, of equal ones the lowest, in all lanes, of which each looks at elements lane, lane + 32, …; 0 where
    /// none is above −∞: always an index, even of NaNs.
    /// </summary>
    private static int ArgMax(ArrayView<float> values, int count)
    {
        float best = float.NegativeInfinity;
        int index = 0;
        for (int i = Warp.LaneIdx; i < count; i += Warp.WarpSize)
        {
            float value = values[i];
            index = value > best ? i : index;
            best = value > best ? value : best;
        }

        for (int distance = Warp.WarpSize / 2; distance > 0; distance >>= 1)
        {
            float other = Warp.ShuffleXor(best, distance);
            int otherIndex = Warp.ShuffleXor(index, distance);
            bool isBetter = other > best || (other == best && otherIndex < index);
            index = isBetter ? otherIndex : index;
            best = isBetter ? other : best;
        }

        return index;
    }

    /// <summary>How many chosen experts have a lower index, equal ones counted before <paramref name="rank"/>.</summary>
    private static int CountBelow(ArrayView<int> chosen, int used, int expert, int rank)
    {
        int count = 0;
        for (int other = 0; other < used; other++)
            count += chosen[other] < expert || (chosen[other] == expert && other < rank) ? 1 : 0;
        return count;
    }

    /// <summary><see cref="RouterShape"/> as a device can take it: without a bool.</summary>
    internal readonly struct Choice(RouterShape shape)
    {
        internal readonly int Experts = shape.Experts;
        internal readonly int Used = shape.Used;
        internal readonly int Gate = (int)shape.Gate;
        internal readonly int Groups = shape.Groups;
        internal readonly int UsedGroups = shape.UsedGroups;
        internal readonly int NormalizeWeights = shape.NormalizeWeights ? 1 : 0;
        internal readonly float WeightScale = shape.WeightScale;
        internal readonly int GroupScore = (int)shape.GroupScore;
    }
}
