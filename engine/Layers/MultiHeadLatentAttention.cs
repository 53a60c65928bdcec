using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>Head counts and sizes of multi-head latent attention.</summary>
/// <param name="Heads">Heads.</param>
/// <param name="LatentSize">kv_lora_rank: the compressed key/value.</param>
/// <param name="NopeSize">Query and key columns without a position.</param>
/// <param name="RopeSize">Query and key columns that are rotated; the rotary key is shared by all heads.</param>
/// <param name="ValueSize">Columns of a value head.</param>
internal readonly record struct LatentShape(int Heads, int LatentSize, int NopeSize, int RopeSize, int ValueSize)
{
    /// <summary>Columns of a query head as projected: [nope | rope].</summary>
    internal int QuerySize => NopeSize + RopeSize;

    /// <summary>Columns of an absorbed query head and of a cache row: [latent | rope].</summary>
    internal int CacheColumns => LatentSize + RopeSize;
}

/// <summary>
/// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1) in absorbed form. The cache holds only the latent and the
/// shared rotary key. The key up-projection moves to the query, W_UKᵀ·q_nope, so that scores are taken against the latent itself; the
/// value up-projection W_UV moves behind the mixture. Heads are never expanded.
/// </summary>
internal sealed class MultiHeadLatentAttention(
    Cpu cpu, LatentShape shape, MultiHeadLatentAttention.Weights weights, RotaryEmbedding rope, MultiHeadLatentAttention.Scratch scratch)
    : Attention
{
    private readonly HeadColumns[] _heads =
    [
        .. Enumerable.Repeat(
            new HeadColumns(
                0, shape.CacheColumns, 0, shape.LatentSize, (float)(rope.Scaling.ScoreFactor / Math.Sqrt(shape.QuerySize))),
            shape.Heads),
    ];

    /// <summary>Head counts and sizes.</summary>
    internal LatentShape Shape => shape;

    /// <summary>The layer's weights.</summary>
    internal Weights LayerWeights => weights;

    /// <summary>Positions.</summary>
    internal RotaryEmbedding Rope => rope;

    /// <inheritdoc/>
    internal override int CacheColumns => shape.CacheColumns;

    /// <inheritdoc/>
    internal override bool ReadsQ8 => (weights.QueryDown ?? weights.Query).ReadsQ8 | weights.LatentDown.ReadsQ8;

    /// <inheritdoc/>
    internal override void Forward(Step step, in Activations x, in Activations y)
    {
        Activations q = scratch.Queries.Rows(step.Rows);
        Activations nope = scratch.Nope.Rows(step.Rows);
        Activations latent = scratch.Latents.Rows(step.Rows);
        Activations absorbed = scratch.Absorbed.Rows(step.Rows);
        Activations mixedLatent = scratch.MixedLatents.Rows(step.Rows);
        Activations mixed = scratch.Mixed.Rows(step.Rows);

        ProjectQuery(step, x, q);
        weights.LatentDown.Forward(x, latent);
        cpu.Pool.Run(new PositionJob(this, step, q, nope, absorbed, latent), step.Rows, grain: 1);
        cpu.Pool.Run(new HeadsJob(weights.KeyUp, nope, shape.NopeSize, absorbed, shape.CacheColumns), shape.Heads, grain: 1);

        Attend(cpu, step, absorbed, mixedLatent, _heads, shape.Heads, window: 0);
        if (weights.ValueUp[0].ReadsQ8)
            cpu.Quantize(mixedLatent);
        cpu.Pool.Run(new HeadsJob(weights.ValueUp, mixedLatent, shape.LatentSize, mixed, shape.ValueSize), shape.Heads, grain: 1);
        if (weights.Output.ReadsQ8)
            cpu.Quantize(mixed);
        weights.Output.Forward(mixed, y);
    }

    private void ProjectQuery(Step step, in Activations x, in Activations q)
    {
        if (weights.QueryDown is null)
        {
            weights.Query.Forward(x, q);
            return;
        }

        Activations latent = scratch.QueryLatents!.Rows(step.Rows);
        weights.QueryDown.Forward(x, latent);
        weights.QueryNorm!.Forward(latent, latent, weights.Query.ReadsQ8);
        weights.Query.Forward(latent, q);
    }

    /// <summary>Normalises and stores one row's latent with its rotated key, and parts its query heads.</summary>
    private void Position(Step step, int row, Span<float> q, Span<float> nope, Span<float> absorbed, Span<float> latent)
    {
        weights.LatentNorm.Row(latent[..shape.LatentSize], latent[..shape.LatentSize]);
        rope.Rotate(cpu.Kernels, latent[shape.LatentSize..], row);
        step.Batch.Rows[row].Sequence.Write(step.Layer, step.Batch.Rows[row].Position, latent);
        for (int head = 0; head < shape.Heads; head++)
        {
            Span<float> query = q.Slice(head * shape.QuerySize, shape.QuerySize);
            query[..shape.NopeSize].CopyTo(nope[(head * shape.NopeSize)..]);
            Span<float> rotary = absorbed.Slice((head * shape.CacheColumns) + shape.LatentSize, shape.RopeSize);
            query[shape.NopeSize..].CopyTo(rotary);
            rope.Rotate(cpu.Kernels, rotary, row);
        }
    }

    private readonly struct PositionJob(
        MultiHeadLatentAttention attention, Step step, Activations q, Activations nope, Activations absorbed, Activations latent) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
            {
                attention.Position(step, row, q.Row(row), nope.Row(row), absorbed.Row(row), latent.Row(row));
                attention.QuantizeNope(nope, row);
            }
        }
    }

    private void QuantizeNope(in Activations nope, int row)
    {
        if (weights.KeyUp[0].ReadsQ8)
            cpu.Kernels.QuantizeRow(nope, row);
    }

    /// <summary>One small matrix per head: columns [head · inputSize …] of x to columns [head · outputStep …] of y.</summary>
    private readonly struct HeadsJob(Linear[] heads, Activations x, int inputSize, Activations y, int outputStep) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int head = begin; head < end; head++)
            {
                Linear linear = heads[head];
                linear.Forward(
                    0,
                    linear.Outputs,
                    x.Columns32(head * inputSize, inputSize),
                    [],
                    y.Columns32(head * outputStep, linear.Outputs));
            }
        }
    }

    /// <summary>The layer's weights; letters are the paper's.</summary>
    /// <param name="QueryDown">W_DQ <c>[q_lora_rank, embedding]</c>, or null where queries are not compressed.</param>
    /// <param name="QueryNorm">Norm of the compressed query.</param>
    /// <param name="Query">W_UQ and W_QR, or W_Q: <c>[heads · (nope + rope), q_lora_rank or embedding]</c>.</param>
    /// <param name="LatentDown">W_DKV and W_KR: <c>[latent + rope, embedding]</c>.</param>
    /// <param name="LatentNorm">Norm of the latent.</param>
    /// <param name="KeyUp">W_UKᵀ of each head <c>[latent, nope]</c>.</param>
    /// <param name="ValueUp">W_UV of each head <c>[value, latent]</c>.</param>
    /// <param name="Output">W_O <c>[embedding, heads · value]</c>.</param>
    internal sealed record Weights(
        Linear? QueryDown,
        RmsNorm? QueryNorm,
        Linear Query,
        Linear LatentDown,
        RmsNorm LatentNorm,
        Linear[] KeyUp,
        Linear[] ValueUp,
        Linear Output);

    /// <summary>Buffers that all layers of a model share.</summary>
    internal sealed class Scratch(int maxRows, LatentShape shape, int queryRank) : IDisposable
    {
        /// <summary><c>[rows, q_lora_rank]</c>, where queries are compressed.</summary>
        internal ActivationBuffer? QueryLatents { get; } = queryRank > 0 ? new(maxRows, queryRank) : null;

        /// <summary><c>[rows, heads · (nope + rope)]</c>.</summary>
        internal ActivationBuffer Queries { get; } = new(maxRows, shape.Heads * shape.QuerySize);

        /// <summary><c>[rows, heads · nope]</c>.</summary>
        internal ActivationBuffer Nope { get; } = new(maxRows, shape.Heads * shape.NopeSize);

        /// <summary><c>[rows, latent + rope]</c>.</summary>
        internal ActivationBuffer Latents { get; } = new(maxRows, shape.CacheColumns);

        /// <summary><c>[rows, heads · (latent + rope)]</c>.</summary>
        internal ActivationBuffer Absorbed { get; } = new(maxRows, shape.Heads * shape.CacheColumns);

        /// <summary><c>[rows, heads · latent]</c>.</summary>
        internal ActivationBuffer MixedLatents { get; } = new(maxRows, shape.Heads * shape.LatentSize);

        /// <summary><c>[rows, heads · value]</c>.</summary>
        internal ActivationBuffer Mixed { get; } = new(maxRows, shape.Heads * shape.ValueSize);

        public void Dispose()
        {
            QueryLatents?.Dispose();
            Queries.Dispose();
            Nope.Dispose();
            Latents.Dispose();
            Absorbed.Dispose();
            MixedLatents.Dispose();
            Mixed.Dispose();
        }
    }
}
