using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

/// <summary>Two texts whose cached rows are random, in blocks that are out of order, on a device and as it stores them on the host.</summary>
internal sealed class CachedTexts : IDisposable
{
    private readonly GpuQueue _queue;
    private readonly KvCache _cache;
    private readonly Sequence[] _texts;

    /// <param name="accelerator">The device.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="type">How they are stored.</param>
    /// <param name="lengths">Positions of the two texts.</param>
    internal CachedTexts(Accelerator accelerator, int columns, CacheType type, params int[] lengths)
    {
        var shape = new CacheShape(1, columns);
        Columns = columns;
        _queue = new GpuQueue(accelerator);
        _cache = new KvCache(shape, CacheType.F32, lengths.Sum(length => length + (3 * KvCache.BlockPositions)));

        // Blocks that were given back come first, the last one before the others.
        Sequence[] before = [_cache.CreateSequence(), _cache.CreateSequence(), _cache.CreateSequence()];
        foreach (Sequence sequence in before)
            sequence.Reserve(1);
        foreach (Sequence sequence in before)
            sequence.Dispose();

        Cache = new DeviceCache(_queue, shape, type, _cache.Blocks, [0]);
        var random = new Random(columns);
        _texts = [.. lengths.Select(_ => _cache.CreateSequence())];
        for (int block = 0; block < lengths.Max(); block += KvCache.BlockPositions)
        {
            for (int text = 0; text < lengths.Length; text++)
                _texts[text].Reserve(Math.Min(lengths[text], block + KvCache.BlockPositions));
        }

        Given = [.. lengths.Select(length => Enumerable.Range(0, length * columns).Select(_ => random.NextSingle() - 0.5f).ToArray())];
        Stored = [.. Given.Select(rows => rows.Select(value => type == CacheType.F16 ? (float)(System.Half)value : value).ToArray())];
        using var ops = new AttentionOps(_queue, type, _cache.Blocks, []);
        for (int text = 0; text < lengths.Length; text++)
        {
            using DeviceRows rows = Rows(ops, [.. Enumerable.Range(0, lengths[text]).Select(position => (text, position))]);
            using MemoryBuffer1D<float, Stride1D.Dense> x = accelerator.Allocate1D(Given[text]);
            ops.Store(rows, x.View, Cache.Layer(0), columns);
            _queue.Stream.Synchronize();
        }
    }

    internal GpuQueue Queue => _queue;

    internal DeviceCache Cache { get; }

    internal int Columns { get; }

    internal int Blocks => _cache.Blocks;

    /// <summary>What was stored <c>[texts][positions, columns]</c>.</summary>
    internal float[][] Given { get; }

    /// <summary>The same as the cache rounds it.</summary>
    internal float[][] Stored { get; }

    internal Sequence this[int text] => _texts[text];

    internal float[] Row(int text, int position) => Stored[text].AsSpan(position * Columns, Columns).ToArray();

    /// <summary>A batch's rows on the device.</summary>
    internal DeviceRows Rows(AttentionOps ops, params (int Text, int Position)[] rows) => Rows(ops, [], rows);

    internal DeviceRows Rows(AttentionOps ops, RotaryEmbedding[] ropes, params (int Text, int Position)[] rows)
    {
        var batch = new Batch(rows.Length);
        foreach ((int text, int position) in rows)
            batch.Add(_texts[text], position, token: 0);
        foreach (RotaryEmbedding rope in ropes)
            rope.Prepare(batch);
        var device = new DeviceRows(_queue, rows.Length, _cache.Blocks, ops.Slots, ropes);
        device.Upload(batch);
        return device;
    }

    /// <summary>Attends, and reads back.</summary>
    internal float[] Attend(AttentionShape shape, float[] queries, float[]? sinks, params (int Text, int Position)[] rows)
    {
        using var ops = new AttentionOps(_queue, Cache.Type, _cache.Blocks, [shape]);
        using DeviceRows places = Rows(ops, rows);
        using MemoryBuffer1D<float, Stride1D.Dense> q = _queue.Accelerator.Allocate1D(queries);
        using MemoryBuffer1D<float, Stride1D.Dense> sink = _queue.Accelerator.Allocate1D(sinks ?? [0]);
        using MemoryBuffer1D<float, Stride1D.Dense> y = _queue.Accelerator.Allocate1D<float>(rows.Length * shape.Heads * shape.ValueSize);
        float[] result = [.. Enumerable.Repeat(float.NaN, (int)y.Length)];
        _queue.Upload<float>(result, y.View);
        ops.Attend(places, shape, q.View, Cache.Layer(0), sinks is null ? ArrayView<float>.Empty : sink.View, y.View);
        _queue.ReadBack(y.View, result);
        return result;
    }

    public void Dispose()
    {
        Cache.Dispose();
        _queue.Dispose();
        _cache.Dispose();
    }
}
