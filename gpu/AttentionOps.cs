using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;
using RotateLaunch = System.Action<
    ILGPU.Runtime.AcceleratorStream,
    ILGPU.KernelConfig,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    Pure.Gpu.Kernels.RotateShape>;
using StoreLaunch = System.Action<
    ILGPU.Runtime.AcceleratorStream,
    ILGPU.KernelConfig,
    ILGPU.ArrayView<float>,
    int,
    int,
    ILGPU.ArrayView<float>,
    int,
    ILGPU.ArrayView<Pure.Gpu.Kernels.RowPlace>,
    ILGPU.ArrayView<int>,
    ILGPU.ArrayView<uint>,
    int>;

namespace Pure.Gpu;

/// <summary>What attention does on the device between its matrices: it rotates, stores and attends.</summary>
/// <remarks>
/// Whether spans are cut (<see cref="DeviceRows.AreCut"/>) depends on the number of rows, and where they are cut on positions alone. Scratch
/// is for cut spans only, so it is bounded by <see cref="DeviceRows.MaxCutRows"/> rows and not by a prompt's.
/// </remarks>
internal sealed class AttentionOps : IDisposable
{
    // A token of a 70B model at 131,072 positions leaves 35 MB for its merge.
    private const long MostScratchBytes = 256 << 20;

    private const int MergeThreads = 64;

    private readonly GpuQueue _queue;
    private readonly int _threads;
    private readonly RotateLaunch _rotate;
    private readonly StoreLaunch _store;
    private readonly Dictionary<int, AttentionLaunches> _launches = [];
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _scratch;

    /// <param name="queue">The device.</param>
    /// <param name="type">How the cache stores elements.</param>
    /// <param name="blocks">Blocks of the cache.</param>
    /// <param name="shapes">Every attention that will be asked for.</param>
    internal AttentionOps(GpuQueue queue, CacheType type, int blocks, ReadOnlySpan<AttentionShape> shapes)
    {
        _queue = queue;
        Accelerator accelerator = queue.Accelerator;
        _threads = Math.Min(AttentionKernel.MaxThreads, accelerator.MaxNumThreadsPerGroup) / accelerator.WarpSize * accelerator.WarpSize;
        _rotate = accelerator.LoadKernel<
            ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, RotateShape>(RotateKernel.Run);
        _store = type == CacheType.F16 ? LoadStore<StoredF16>(accelerator) : LoadStore<StoredF32>(accelerator);

        long slotFloats = 1;
        foreach (AttentionShape shape in shapes)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(shape.IsSupported, true, nameof(shapes));
            if (!_launches.ContainsKey(shape.Sharing))
                _launches.Add(shape.Sharing, AttentionLaunches.Load(accelerator, type, shape.Sharing));
            slotFloats = Math.Max(slotFloats, SlotFloats(shape));
        }

        Slots = SlotsOf(blocks, slotFloats);
        _scratch = queue.Allocate<float>(Slots * slotFloats);
    }

    /// <summary>Spans that there is room for.</summary>
    internal int Slots { get; }

    /// <summary>Spans that there is room for, and the bytes that this takes, for one kind of attention.</summary>
    internal static (int Slots, long Bytes) Room(in AttentionShape shape, int blocks)
    {
        int slots = SlotsOf(blocks, SlotFloats(shape));
        return (slots, slots * SlotFloats(shape) * sizeof(float));
    }

    /// <summary>Normalises and rotates; the target may be the source.</summary>
    /// <param name="rows">The batch.</param>
    /// <param name="shape">What lies where.</param>
    /// <param name="rope">Its angles.</param>
    /// <param name="gain">The norm's weight <c>[NormSize]</c>; empty for none.</param>
    /// <param name="source">Rows of units.</param>
    /// <param name="target">Rows of units.</param>
    internal void Rotate(
        DeviceRows rows, in RotateShape shape, RotaryEmbedding rope, ArrayView<float> gain, ArrayView<float> source, ArrayView<float> target)
    {
        var groups = new KernelConfig(new Index3D(shape.Units, rows.Count, 1), new Index3D(_queue.Accelerator.WarpSize, 1, 1));
        _rotate(_queue.Launch(), groups, source, gain, rows.Cosines(rope), rows.Sines(rope), target, shape);
    }

    /// <summary>Stores rows of keys, then values, or of latents with their rotary keys, in a layer's cache.</summary>
    /// <param name="rows">The batch.</param>
    /// <param name="x"><c>[rows, columns]</c>.</param>
    /// <param name="cache">The layer's cache.</param>
    /// <param name="columns">Columns of the cache.</param>
    internal void Store(DeviceRows rows, ArrayView<float> x, ArrayView<uint> cache, int columns) =>
        Store(rows, x, columns, columns, x, columns, cache, columns);

    /// <summary>Stores rows of keys and values, which may lie apart and have other columns around them, in a layer's cache.</summary>
    /// <param name="rows">The batch.</param>
    /// <param name="keys">Rows of keys, from the first row's first column on.</param>
    /// <param name="keyStride">Row to row of the keys.</param>
    /// <param name="keyColumns">Columns of a row's keys.</param>
    /// <param name="values">Rows of values, from the first row's first column on.</param>
    /// <param name="valueStride">Row to row of the values.</param>
    /// <param name="cache">The layer's cache.</param>
    /// <param name="columns">Columns of the cache: the keys', then the values'.</param>
    internal void Store(
        DeviceRows rows,
        ArrayView<float> keys,
        int keyStride,
        int keyColumns,
        ArrayView<float> values,
        int valueStride,
        ArrayView<uint> cache,
        int columns) =>
        _store(
            _queue.Launch(), new KernelConfig(rows.Count, _threads), keys, keyStride, keyColumns, values, valueStride, rows.Places, rows.Tables, cache, columns);

    /// <summary>Every query head of every row against its sequence's cache, which holds the rows' own positions already.</summary>
    /// <param name="rows">The batch.</param>
    /// <param name="attention">One of the shapes that were announced.</param>
    /// <param name="queries"><c>[rows, Heads · KeySize]</c>.</param>
    /// <param name="cache">The layer's cache.</param>
    /// <param name="sinks">A score for each head that takes part in the softmax without a position; empty for none.</param>
    /// <param name="y"><c>[rows, Heads · ValueSize]</c>.</param>
    internal void Attend(
        DeviceRows rows, in AttentionShape attention, ArrayView<float> queries, ArrayView<uint> cache, ArrayView<float> sinks, ArrayView<float> y)
    {
        AttentionShape shape = attention;
        shape.DotLanes = Math.Min(_queue.Accelerator.WarpSize, 1 << BitOperations.TrailingZeroCount(shape.KeySize / 8));
        AttentionLaunches launches = _launches[shape.Sharing];
        int heads = SlotHeads(shape);
        int groups = heads / launches.Heads;
        var threads = new Index3D(_threads, 1, 1);
        if (!rows.AreCut)
        {
            var all = new KernelConfig(new Index3D(groups, rows.Count, 1), threads);
            launches.Rows(_queue.Launch(), all, queries, cache, rows.Places, rows.Tables, sinks, y, shape);
            return;
        }

        ArrayView<float> maxima = _scratch.View.SubView(0, rows.Slots * heads);
        ArrayView<float> sums = _scratch.View.SubView(maxima.Length, maxima.Length);
        ArrayView<float> vectors = _scratch.View.SubView(2 * maxima.Length, maxima.Length * shape.ValueSize);
        var spans = new KernelConfig(new Index3D(groups, rows.Slots, 1), threads);
        launches.Spans(_queue.Launch(), spans, queries, cache, rows.Places, rows.Tables, rows.Spans, maxima, sums, vectors, shape);

        // A thread for each element, in small groups, which are many.
        int merging = Math.Min(MergeThreads, _threads);
        int parts = ((shape.ValueSize * launches.Heads) + merging - 1) / merging;
        var merges = new KernelConfig(new Index3D(groups, rows.Count, parts), new Index3D(merging, 1, 1));
        launches.Merge(_queue.Launch(), merges, maxima, sums, vectors, rows.Places, sinks, y, shape);
    }

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();

    /// <summary>Heads of all groups, those included that a key/value head's last group lacks.</summary>
    private static int SlotHeads(in AttentionShape shape)
    {
        int together = AttentionLaunches.HeadsOf(shape.Sharing);
        return shape.Heads / shape.Sharing * ((shape.Sharing + together - 1) / together) * together;
    }

    /// <summary>Maxima, sums and vectors of a span.</summary>
    private static long SlotFloats(in AttentionShape shape) => SlotHeads(shape) * (shape.ValueSize + 2L);

    /// <summary>All positions of the cache, and for each row a span that is not whole.</summary>
    private static int SlotsOf(int blocks, long slotFloats) => (int)Math.Min(
        (blocks * KvCache.BlockPositions / AttentionKernel.SpanPositions) + DeviceRows.MaxCutRows, MostScratchBytes / sizeof(float) / slotFloats);

    private static StoreLaunch LoadStore<TStored>(Accelerator accelerator)
        where TStored : struct, IStoredFloats => accelerator.LoadKernel<
            ArrayView<float>, int, int, ArrayView<float>, int, ArrayView<RowPlace>, ArrayView<int>, ArrayView<uint>, int>(StoreKernel.Run<TStored>);
}
