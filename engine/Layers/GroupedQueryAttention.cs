using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>Head counts and sizes of grouped-query attention.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key/value heads; each serves Heads / KvHeads query heads.</param>
/// <param name="KeySize">Columns of a query or key head.</param>
/// <param name="ValueSize">Columns of a value head.</param>
internal readonly record struct GroupedQueryShape(int Heads, int KvHeads, int KeySize, int ValueSize)
{
    /// <summary>Cache columns of a position: the keys of all heads, then the values of all heads.</summary>
    internal int CacheColumns => KvHeads * (KeySize + ValueSize);
}

/// <summary>
/// Grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245), of which multi-head attention is the case of one query head
/// per key/value head: softmax(q·kᵀ / √KeySize)·v with rotary q and k.
/// </summary>
internal sealed class GroupedQueryAttention(
    Cpu cpu, GroupedQueryShape shape, Linear query, Linear key, Linear value, Linear output, RotaryEmbedding rope, GroupedQueryAttention.Scratch scratch)
    : Attention
{
    private readonly float _scale = 1f / MathF.Sqrt(shape.KeySize);

    /// <inheritdoc/>
    internal override bool ReadsQ8 => query.ReadsQ8 | key.ReadsQ8 | value.ReadsQ8;

    /// <inheritdoc/>
    internal override void Forward(Step step, in Activations x, in Activations y)
    {
        Activations q = scratch.Queries.Rows(step.Rows);
        Activations kv = scratch.KeysValues.Rows(step.Rows);
        Activations mixed = scratch.Mixed.Rows(step.Rows);
        int keys = shape.KvHeads * shape.KeySize;

        query.Forward(x, q);
        key.Forward(x, kv.Columns32(0, keys));
        value.Forward(x, kv.Columns32(keys, shape.KvHeads * shape.ValueSize));
        cpu.Pool.Run(new RotateAndStore(this, step, q, kv), step.Rows, grain: 1);

        var columns = new HeadColumns(0, shape.KeySize, keys, shape.ValueSize);
        cpu.Pool.Run(
            new AttendJob(cpu.Kernels, step, q, mixed, columns, shape.Heads, shape.Heads / shape.KvHeads, _scale),
            step.Rows * shape.Heads,
            grain: 1);
        if (output.ReadsQ8)
            cpu.Quantize(mixed);
        output.Forward(mixed, y);
    }

    private void RotateRow(Step step, int row, Span<float> q, Span<float> kv)
    {
        for (int head = 0; head < shape.Heads; head++)
            rope.Rotate(cpu.Kernels, q.Slice(head * shape.KeySize, rope.Dimensions), row);
        for (int head = 0; head < shape.KvHeads; head++)
            rope.Rotate(cpu.Kernels, kv.Slice(head * shape.KeySize, rope.Dimensions), row);
        step.Batch.Rows[row].Sequence.Write(step.Layer, step.Batch.Rows[row].Position, kv);
    }

    private readonly struct RotateAndStore(GroupedQueryAttention attention, Step step, Activations q, Activations kv) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
                attention.RotateRow(step, row, q.Row(row), kv.Row(row));
        }
    }

    /// <summary>Buffers that all layers of a model share.</summary>
    internal sealed class Scratch(int maxRows, GroupedQueryShape shape) : IDisposable
    {
        /// <summary><c>[rows, Heads · KeySize]</c>.</summary>
        internal ActivationBuffer Queries { get; } = new(maxRows, shape.Heads * shape.KeySize);

        /// <summary><c>[rows, CacheColumns]</c>.</summary>
        internal ActivationBuffer KeysValues { get; } = new(maxRows, shape.CacheColumns);

        /// <summary><c>[rows, Heads · ValueSize]</c>.</summary>
        internal ActivationBuffer Mixed { get; } = new(maxRows, shape.Heads * shape.ValueSize);

        public void Dispose()
        {
            Queries.Dispose();
            KeysValues.Dispose();
            Mixed.Dispose();
        }
    }
}
