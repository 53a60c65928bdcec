using System.Numerics;
using Pure.Engine.Kernels;
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
/// per key/value head: softmax(q·kᵀ · scale)·v with rotary q and k.
/// </summary>
internal sealed class GroupedQueryAttention : Attention
{
    private readonly Cpu _cpu;
    private readonly GroupedQueryShape _shape;
    private readonly Weights _weights;
    private readonly RotaryEmbedding _rope;
    private readonly int _window;
    private readonly HeadColumns[] _heads;
    private readonly Scratch _scratch;

    /// <param name="cpu">What to compute with.</param>
    /// <param name="shape">Head counts and sizes.</param>
    /// <param name="weights">The layer's weights.</param>
    /// <param name="rope">Positions.</param>
    /// <param name="scale">Factor on the scores, which kernels take as a float; 1 / √KeySize in most families.</param>
    /// <param name="window">Positions that a query sees, its own included; 0 for all.</param>
    /// <param name="scratch">Shared buffers.</param>
    internal GroupedQueryAttention(
        Cpu cpu, GroupedQueryShape shape, Weights weights, RotaryEmbedding rope, double scale, int window, Scratch scratch)
    {
        _cpu = cpu;
        _shape = shape;
        _weights = weights;
        _rope = rope;
        Scale = scale;
        _window = window;
        _scratch = scratch;
        int group = shape.Heads / shape.KvHeads;
        int values = shape.KvHeads * shape.KeySize;
        _heads =
        [
            .. Enumerable.Range(0, shape.Heads).Select(head => new HeadColumns(
                head / group * shape.KeySize,
                shape.KeySize,
                values + (head / group * shape.ValueSize),
                shape.ValueSize,
                (float)scale,
                weights.Sinks?[head])),
        ];
    }

    /// <summary>Head counts and sizes.</summary>
    internal GroupedQueryShape Shape => _shape;

    /// <summary>The layer's weights.</summary>
    internal Weights LayerWeights => _weights;

    /// <summary>Positions.</summary>
    internal RotaryEmbedding Rope => _rope;

    /// <summary>Factor on the scores.</summary>
    internal double Scale { get; }

    /// <summary>Positions that a query sees, its own included; 0 for all.</summary>
    internal int Window => _window;

    /// <inheritdoc/>
    internal override int CacheColumns => _shape.CacheColumns;

    /// <inheritdoc/>
    internal override int CacheValueColumns => _shape.KvHeads * _shape.ValueSize;

    /// <inheritdoc/>
    internal override int CacheHeads => _shape.KvHeads;

    /// <inheritdoc/>
    internal override int CacheUnit => 1 << BitOperations.TrailingZeroCount(_shape.KeySize | _shape.ValueSize);

    /// <inheritdoc/>
    internal override bool ReadsQ8 => _weights.Query.ReadsQ8 | _weights.Key.ReadsQ8 | _weights.Value.ReadsQ8;

    /// <inheritdoc/>
    internal override void Forward(Step step, in Activations x, in Activations y)
    {
        Activations q = _scratch.Queries.Rows(step.Rows);
        Activations kv = _scratch.KeysValues.Rows(step.Rows);
        Activations mixed = _scratch.Mixed.Rows(step.Rows);
        int keys = _shape.KvHeads * _shape.KeySize;

        Linear.Forward(
            x,
            (_weights.Query, q),
            (_weights.Key, kv.Columns32(0, keys)),
            (_weights.Value, kv.Columns32(keys, _shape.KvHeads * _shape.ValueSize)));
        _cpu.Pool.Run(new PositionJob(this, step, q, kv), step.Rows, grain: 1);
        Attend(_cpu, step, q, mixed, _heads, _shape.Heads / _shape.KvHeads, _window, _scratch.Split);
        if (_weights.Output.ReadsQ8)
            _cpu.Quantize(mixed);
        _weights.Output.Forward(mixed, y);
    }

    /// <summary>Normalises (where the family does) and rotates one row's queries and keys, and stores its keys and values.</summary>
    private void Position(Step step, int row, Span<float> q, Span<float> kv)
    {
        NormAndRotate(q[..(_shape.Heads * _shape.KeySize)], _weights.QueryNorm, row);
        NormAndRotate(kv[..(_shape.KvHeads * _shape.KeySize)], _weights.KeyNorm, row);
        step.Batch.Rows[row].Sequence.Write(step.Layer, step.Batch.Rows[row].Position, kv);
    }

    private void NormAndRotate(Span<float> heads, RmsNorm? norm, int row)
    {
        if (norm is not null)
        {
            // A norm as wide as a head runs over each head, any other over all heads together.
            for (int start = 0; start < heads.Length; start += norm.Size)
                norm.Row(heads.Slice(start, norm.Size), heads.Slice(start, norm.Size));
        }

        for (int start = 0; start < heads.Length; start += _shape.KeySize)
            _rope.Rotate(_cpu.Kernels, heads.Slice(start, _rope.Dimensions), row);
    }

    private readonly struct PositionJob(GroupedQueryAttention attention, Step step, Activations q, Activations kv) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
                attention.Position(step, row, q.Row(row), kv.Row(row));
        }
    }

    /// <summary>The layer's weights.</summary>
    /// <param name="Query"><c>[Heads · KeySize, embedding]</c>.</param>
    /// <param name="Key"><c>[KvHeads · KeySize, embedding]</c>.</param>
    /// <param name="Value"><c>[KvHeads · ValueSize, embedding]</c>.</param>
    /// <param name="Output"><c>[embedding, Heads · ValueSize]</c>.</param>
    /// <param name="QueryNorm">Norm of each query head, or of all together, before the rotation; null for none.</param>
    /// <param name="KeyNorm">The same for keys.</param>
    /// <param name="Sinks">A score per head that takes part in the softmax without a position; null for none.</param>
    internal sealed record Weights(
        Linear Query, Linear Key, Linear Value, Linear Output, RmsNorm? QueryNorm = null, RmsNorm? KeyNorm = null, float[]? Sinks = null);

    /// <summary>Buffers that all layers of a model share.</summary>
    internal sealed class Scratch(int maxRows, GroupedQueryShape shape) : IDisposable
    {
        /// <summary><c>[rows, Heads · KeySize]</c>.</summary>
        internal ActivationBuffer Queries { get; } = new(maxRows, shape.Heads * shape.KeySize);

        /// <summary><c>[rows, CacheColumns]</c>.</summary>
        internal ActivationBuffer KeysValues { get; } = new(maxRows, shape.CacheColumns);

        /// <summary><c>[rows, Heads · ValueSize]</c>.</summary>
        internal ActivationBuffer Mixed { get; } = new(maxRows, shape.Heads * shape.ValueSize);

        internal SplitAttention Split { get; } = new(maxRows, shape.Heads, shape.ValueSize);

        public void Dispose()
        {
            Split.Dispose();
            Queries.Dispose();
            KeysValues.Dispose();
            Mixed.Dispose();
        }
    }
}
