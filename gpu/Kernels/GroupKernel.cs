using System.Reflection;
using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Sorts pairs of (row, rank) by expert, within an expert by row. Every expert has a group of threads, which counts the pairs of the
/// experts before it and of its own and then hands out slots: no group waits for another, and no order is left to chance.
/// </summary>
internal static class GroupKernel
{
    /// <summary>Most threads of a group.</summary>
    internal const int MaxThreads = 128;

    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints =>
        [((Action<ArrayView<int>, int, int, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>>)Run).Method];

    /// <summary>A group for each expert.</summary>
    /// <param name="expertOfPair">Expert of each pair, numbered row · used + rank.</param>
    /// <param name="pairs">Pairs.</param>
    /// <param name="used">Experts of a row.</param>
    /// <param name="slotOfPair">Slot of each pair.</param>
    /// <param name="rowOfSlot">Row of the pair in each slot.</param>
    /// <param name="expertOfSlot">Expert of the pair in each slot.</param>
    /// <param name="firstSlotOfExpert">First slot of each expert; the last entry is the number of pairs <c>[experts + 1]</c>.</param>
    internal static void Run(
        ArrayView<int> expertOfPair,
        int pairs,
        int used,
        ArrayView<int> slotOfPair,
        ArrayView<int> rowOfSlot,
        ArrayView<int> expertOfSlot,
        ArrayView<int> firstSlotOfExpert)
    {
        ArrayView<int> before = SharedMemory.Allocate<int>(MaxThreads);
        ArrayView<int> own = SharedMemory.Allocate<int>(MaxThreads);
        int expert = Grid.IdxX;
        int perThread = (pairs + Group.DimX - 1) / Group.DimX;
        int begin = IntrinsicMath.Min(pairs, Group.IdxX * perThread);
        int end = IntrinsicMath.Min(pairs, begin + perThread);

        int mineBefore = 0;
        int mine = 0;
        for (int pair = begin; pair < end; pair++)
        {
            mineBefore += expertOfPair[pair] < expert ? 1 : 0;
            mine += expertOfPair[pair] == expert ? 1 : 0;
        }

        before[Group.IdxX] = mineBefore;
        own[Group.IdxX] = mine;
        Group.Barrier();

        int first = 0;
        int earlier = 0;
        for (int thread = 0; thread < Group.DimX; thread++)
        {
            first += before[thread];
            earlier += thread < Group.IdxX ? own[thread] : 0;
        }

        if (Group.IdxX == 0)
            firstSlotOfExpert[expert] = first;
        if (Group.IdxX == 0 && expert == Grid.DimX - 1)
            firstSlotOfExpert[expert + 1] = pairs;

        int slot = first + earlier;
        for (int pair = begin; pair < end; pair++)
        {
            if (expertOfPair[pair] == expert)
            {
                slotOfPair[pair] = slot;
                rowOfSlot[slot] = pair / used;
                expertOfSlot[slot] = expert;
                slot++;
            }
        }
    }
}
