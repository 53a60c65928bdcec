using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Layers;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>
/// Which experts the rows of a batch chose, all of it on the device. A pair is (row, rank), numbered row · used + rank; sorted by expert,
/// within an expert by row, each pair has a slot. All layers of a shape can share one.
/// </summary>
internal sealed class Routing : IDisposable
{
    private readonly GpuQueue _queue;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _expertOfPair;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _weightOfPair;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _slotOfPair;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _rowOfSlot;
    private readonly MemoryBuffer1D<int, Stride1D.Dense>? _expertOfSlot;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _firstSlotOfExpert;
    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<float>, int, ArrayView<float>, RouterKernel.Choice, ArrayView<int>, ArrayView<float>> _choose;
    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, RouterKernel.Choice, ArrayView<int>, ArrayView<float>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>> _chooseForOneRow;
    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<int>, int, int, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>> _group;

    /// <param name="queue">Where launches line up.</param>
    /// <param name="shape">How experts are chosen.</param>
    /// <param name="maxRows">Most rows of a batch.</param>
    /// <param name="expertOfSlot">Where the expert of each slot is written; empty for room of its own.</param>
    /// <exception cref="ArgumentException">The shape does not fit: ask <see cref="Fits"/> first.</exception>
    internal Routing(GpuQueue queue, RouterShape shape, int maxRows, ArrayView<int> expertOfSlot = default)
    {
        if (!Fits(shape))
            throw new ArgumentException($"The kernels choose up to {RouterKernel.MaxUsed} of {RouterKernel.MaxExperts} experts, not {shape.Used} of {shape.Experts}.", nameof(shape));
        _queue = queue;
        MaxRows = maxRows;
        Shape = shape;
        int pairs = maxRows * shape.Used;
        _expertOfPair = queue.Allocate<int>(pairs);
        _weightOfPair = queue.Allocate<float>(pairs);
        _slotOfPair = queue.Allocate<int>(pairs);
        _rowOfSlot = queue.Allocate<int>(pairs);
        _expertOfSlot = expertOfSlot.Length == 0 ? queue.Allocate<int>(pairs) : null;
        ExpertOfSlot = _expertOfSlot?.View ?? expertOfSlot;
        _firstSlotOfExpert = queue.Allocate<int>(shape.Experts + 1);
        _choose = queue.Accelerator.LoadKernel<ArrayView<float>, int, ArrayView<float>, RouterKernel.Choice, ArrayView<int>, ArrayView<float>>(RouterKernel.Run);
        _chooseForOneRow = queue.Accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, RouterKernel.Choice, ArrayView<int>, ArrayView<float>, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>>(RouterKernel.RunOneRow);
        _group = queue.Accelerator.LoadKernel<ArrayView<int>, int, int, ArrayView<int>, ArrayView<int>, ArrayView<int>, ArrayView<int>>(GroupKernel.Run);
    }

    /// <summary>Whether the kernels can choose so.</summary>
    internal static bool Fits(RouterShape shape) =>
        shape is { Experts: > 0 and <= RouterKernel.MaxExperts, Used: > 0 and <= RouterKernel.MaxUsed, Groups: > 0 }
        && shape.Used <= shape.Experts
        && shape.Experts % shape.Groups == 0;

    /// <summary>Bytes that it takes on the device.</summary>
    internal static long Bytes(RouterShape shape, long maxRows) => ((maxRows * shape.Used * 5) + shape.Experts + 1) * sizeof(int);

    /// <summary>Most rows of a batch.</summary>
    internal int MaxRows { get; }

    /// <summary>How experts are chosen.</summary>
    internal RouterShape Shape { get; }

    /// <summary>Expert of each pair.</summary>
    internal ArrayView<int> ExpertOfPair => _expertOfPair.View;

    /// <summary>Weight of each pair.</summary>
    internal ArrayView<float> WeightOfPair => _weightOfPair.View;

    /// <summary>Slot of each pair.</summary>
    internal ArrayView<int> SlotOfPair => _slotOfPair.View;

    /// <summary>Both.</summary>
    internal WeighedPairs Pairs => new(SlotOfPair, WeightOfPair, Shape.Used);

    /// <summary>Row of the pair in each slot.</summary>
    internal ArrayView<int> RowOfSlot => _rowOfSlot.View;

    /// <summary>Expert of the pair in each slot; ascending.</summary>
    internal ArrayView<int> ExpertOfSlot { get; }

    /// <summary>First slot of each expert; the last entry is the number of pairs.</summary>
    internal ArrayView<int> FirstSlotOfExpert => _firstSlotOfExpert.View;

    /// <summary>Chooses the experts of <paramref name="rows"/> rows and sorts the pairs: one launch for a row, two for more.</summary>
    /// <param name="logits"><c>[rows, experts]</c>.</param>
    /// <param name="logitStride">From a row of logits to the next.</param>
    /// <param name="selectionBias">Added to the scores for choosing only <c>[experts]</c>; empty for none.</param>
    /// <param name="rows">Rows.</param>
    internal void Choose(ArrayView<float> logits, int logitStride, ArrayView<float> selectionBias, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)rows, (uint)MaxRows, nameof(rows));
        var choice = new RouterKernel.Choice(Shape);
        int warp = _queue.Accelerator.WarpSize;
        if (rows == 1)
        {
            _chooseForOneRow(
                _queue.Launch(), new(1, warp), logits, selectionBias, choice, ExpertOfPair, WeightOfPair, SlotOfPair, RowOfSlot, ExpertOfSlot, FirstSlotOfExpert);
            return;
        }

        _choose(_queue.Launch(), new(rows, warp), logits, logitStride, selectionBias, choice, ExpertOfPair, WeightOfPair);
        int pairs = rows * Shape.Used;
        int threads = Math.Clamp((pairs + warp - 1) / warp * warp, warp, Math.Min(GroupKernel.MaxThreads, _queue.Accelerator.MaxNumThreadsPerGroup));
        _group(_queue.Launch(), new(Shape.Experts, threads), ExpertOfPair, pairs, Shape.Used, SlotOfPair, RowOfSlot, ExpertOfSlot, FirstSlotOfExpert);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _expertOfPair.Dispose();
        _weightOfPair.Dispose();
        _slotOfPair.Dispose();
        _rowOfSlot.Dispose();
        _expertOfSlot?.Dispose();
        _firstSlotOfExpert.Dispose();
    }
}

/// <summary>What is added up for each row: its pairs are numbered row · used + rank.</summary>
/// <param name="SlotOfPair">Where each pair's output lies.</param>
/// <param name="WeightOfPair">What it weighs.</param>
/// <param name="Used">Pairs of a row.</param>
internal readonly record struct WeighedPairs(ArrayView<int> SlotOfPair, ArrayView<float> WeightOfPair, int Used);
