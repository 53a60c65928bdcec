using System.Numerics;
using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Memory;
using Pure.Engine.Models;
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
/// value up-projection W_UV moves behind the mixture. Heads are never expanded, but for rows of a prompt where that was asked for.
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
    internal override int CacheValueColumns => 0;

    /// <inheritdoc/>
    internal override int CacheHeads => 1;

    /// <inheritdoc/>
    internal override int CacheUnit => 1 << BitOperations.TrailingZeroCount(shape.LatentSize | shape.RopeSize);

    /// <inheritdoc/>
    internal override bool ReadsQ8 => (weights.QueryDown ?? weights.Query).ReadsQ8 | weights.LatentDown.ReadsQ8;

    /// <inheritdoc/>
    internal override void Forward(Step step, in Activations x, in Activations y)
    {
        var rows = new Buffers(scratch, step.Rows);
        (Linear query, Activations input) = Compress(step, x, rows.Latent);
        cpu.Pool.Run(new PositionJob(this, step, rows.Latent), step.Rows, grain: 1);
        for (int head = 0; head < shape.Heads; head++)
        {
            weights.KeyUp[head].Prepare();
            weights.ValueUp[head].Prepare();
        }

        if (weights.KeyExpand is not null && HasPrompt(step))
            ForwardByForm(step, query, input, rows);
        else
            ForwardAbsorbed(step, query, input, rows);
        if (weights.Output.ReadsQ8)
            cpu.Quantize(rows.Mixed);
        weights.Output.Forward(rows.Mixed, y);
    }

    /// <summary>All rows in absorbed form.</summary>
    private void ForwardAbsorbed(Step step, Linear query, in Activations input, in Buffers rows)
    {
        // Few rows: each thread takes its heads from the query to the value, so that it meets the others once. Many rows: heads of all
        // rows, whose weights are then read once, and afterwards tiles of rows and heads.
        bool splits = SplitAttention.Pays(cpu, step, shape.Heads, HeadsOfTile(shape.Heads), window: 0);
        int together = HeadsTogether(cpu, step, shape.Heads, shape.Heads);
        var values = new ValuesWork(this, step.Rows, rows);
        if (step.Rows <= AttentionTile.MaxRows && query.Order is null && shape.QuerySize % PackedMatrix.GroupRows == 0)
        {
            query.Prepare();
            var queries = new QueriesWork(this, step, query, input, rows);
            if (splits)
                Split(step, rows, queries, values);
            else
                cpu.Pool.Run(new HeadsJob(this, step, queries, rows, together), shape.Heads / together, grain: 1);
        }
        else
        {
            query.Forward(input, rows.Query);
            cpu.Pool.Run(new AbsorbJob(this, 0, step.Rows, rows), shape.Heads, grain: 1);
            if (splits)
                Split(step, rows, default(SplitAttention.Nothing), values);
            else
                cpu.Run(new MixWork(this, step, 0, step.Rows, rows, together));
        }
    }

    /// <summary>Runs of rows of a prompt in expanded form, and of other rows in absorbed form.</summary>
    private void ForwardByForm(Step step, Linear query, in Activations input, in Buffers rows)
    {
        query.Forward(input, rows.Query);
        ReadOnlySpan<BatchRow> batch = step.Batch.Rows;
        for (int first = 0, end; first < batch.Length; first = end)
        {
            bool isExpanded = IsExpanded(batch[first]);
            end = first + 1;
            while (end < batch.Length && IsExpanded(batch[end]) == isExpanded && (!isExpanded || batch[end].Sequence == batch[first].Sequence))
                end++;
            if (isExpanded)
            {
                cpu.Pool.Run(new RotateJob(this, first, rows.Query), end - first, grain: 1);
                var expansion = new ExpandedAttention.Weights(weights.KeyExpand!, weights.ValueUp, _heads[0].Scale);
                scratch.Expanded!.Attend(cpu, step, first, end - first, expansion, rows.Query, rows.Mixed);
            }
            else
            {
                cpu.Pool.Run(new AbsorbJob(this, first, end - first, rows), shape.Heads, grain: 1);
                cpu.Run(new MixWork(this, step, first, end - first, rows, HeadsOfTile(shape.Heads)));
            }
        }
    }

    private static bool HasPrompt(Step step)
    {
        foreach (ref readonly BatchRow row in step.Batch.Rows)
        {
            if (IsExpanded(row))
                return true;
        }

        return false;
    }

    private static bool IsExpanded(in BatchRow row) => row.Position < row.Sequence.PromptLength;

    /// <summary>Attention cut by spans, between what makes each head's queries and what makes its values.</summary>
    private void Split<TBefore>(Step step, in Buffers rows, in TBefore queries, in ValuesWork values)
        where TBefore : struct, IWork =>
        scratch.Split.Attend(
            cpu, step, rows.Absorbed, rows.MixedLatent, _heads, HeadsOfTile(shape.Heads), window: 0, queries, values);

    /// <summary>The latents of keys and values, and of the queries where they are compressed.</summary>
    /// <returns>The matrix that makes the query heads, and what it reads.</returns>
    private (Linear Query, Activations Input) Compress(Step step, in Activations x, in Activations latent)
    {
        if (weights.QueryDown is null)
        {
            weights.LatentDown.Forward(x, latent);
            return (weights.Query, x);
        }

        Activations compressed = scratch.QueryLatents!.Rows(step.Rows);
        Linear.Forward(x, (weights.LatentDown, latent), (weights.QueryDown, compressed));
        weights.QueryNorm!.Forward(compressed, compressed, weights.Query.ReadsQ8);
        return (weights.Query, compressed);
    }

    /// <summary>Normalises and stores one row's latent with its rotated key.</summary>
    private void Position(Step step, int row, Span<float> latent)
    {
        weights.LatentNorm.Row(latent[..shape.LatentSize], latent[..shape.LatentSize]);
        rope.Rotate(cpu.Kernels, latent[shape.LatentSize..], row);
        step.Batch.Rows[row].Sequence.Write(step.Layer, step.Batch.Rows[row].Position, latent);
    }

    private void RotateQueries(int row, Span<float> queries)
    {
        for (int head = 0; head < shape.Heads; head++)
            rope.Rotate(cpu.Kernels, queries.Slice((head * shape.QuerySize) + shape.NopeSize, shape.RopeSize), row);
    }

    /// <summary>One head's queries of some rows, [nope | rope], become [W_UKᵀ·nope | rotated rope], which meet the cache.</summary>
    private void Absorb(int head, int firstRow, int count, in Buffers rows)
    {
        Linear keyUp = weights.KeyUp[head];
        for (int row = firstRow; row < firstRow + count; row++)
        {
            ReadOnlySpan<float> query = rows.Query.Row(row).Slice(head * shape.QuerySize, shape.QuerySize);
            query[..shape.NopeSize].CopyTo(rows.Nope.Row(row)[(head * shape.NopeSize)..]);
            Span<float> rotary = rows.Absorbed.Row(row).Slice((head * shape.CacheColumns) + shape.LatentSize, shape.RopeSize);
            query[shape.NopeSize..].CopyTo(rotary);
            rope.Rotate(cpu.Kernels, rotary, row);
            if (keyUp.ReadsQ8)
                cpu.Kernels.QuantizeRow(rows.Nope, row, head * shape.NopeSize, shape.NopeSize);
        }

        keyUp.Forward(
            0,
            keyUp.Outputs,
            rows.Nope.Columns32(head * shape.NopeSize, shape.NopeSize).Slice(firstRow, count),
            [],
            rows.Absorbed.Columns32(head * shape.CacheColumns, keyUp.Outputs).Slice(firstRow, count));
    }

    /// <summary>Some heads of some rows attend, and their mixed latents become values.</summary>
    private void Mix(Step step, int firstRow, int count, int firstHead, int heads, in Buffers rows)
    {
        AttendRows(cpu.Kernels, step, firstRow, count, _heads, firstHead, heads, window: 0, rows.Absorbed, rows.MixedLatent);
        for (int head = firstHead; head < firstHead + heads; head++)
            Values(firstRow, count, head, rows);
    }

    /// <summary>One head's mixed latents of some rows become values: W_UV·latent.</summary>
    private void Values(int firstRow, int count, int head, in Buffers rows)
    {
        Linear valueUp = weights.ValueUp[head];
        for (int row = firstRow; valueUp.ReadsQ8 && row < firstRow + count; row++)
            cpu.Kernels.QuantizeRow(rows.MixedLatent, row, head * shape.LatentSize, shape.LatentSize);
        valueUp.Forward(
            0,
            valueUp.Outputs,
            rows.MixedLatent.Columns32(head * shape.LatentSize, shape.LatentSize).Slice(firstRow, count),
            [],
            rows.Mixed.Columns32(head * shape.ValueSize, valueUp.Outputs).Slice(firstRow, count));
    }

    private readonly struct PositionJob(MultiHeadLatentAttention attention, Step step, Activations latent) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = begin; row < end; row++)
                attention.Position(step, row, latent.Row(row));
        }
    }

    /// <summary>Items are heads of some rows.</summary>
    private readonly struct AbsorbJob(MultiHeadLatentAttention attention, int firstRow, int count, Buffers rows) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int head = begin; head < end; head++)
                attention.Absorb(head, firstRow, count, rows);
        }
    }

    /// <summary>Items are rows, whose queries of all heads are rotated where they are.</summary>
    private readonly struct RotateJob(MultiHeadLatentAttention attention, int firstRow, Activations queries) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int row = firstRow + begin; row < firstRow + end; row++)
                attention.RotateQueries(row, queries.Row(row));
        }
    }

    /// <summary>Items are (tile of rows, some heads).</summary>
    private readonly struct MixWork(
        MultiHeadLatentAttention attention, Step step, int firstRow, int rowCount, Buffers rows, int together) : IWork
    {
        public int Count => (rowCount + AttentionTile.MaxRows - 1) / AttentionTile.MaxRows * (attention.Shape.Heads / together);

        public void Run(int begin, int end)
        {
            int groups = attention.Shape.Heads / together;
            for (int item = begin; item < end; item++)
            {
                (int tile, int group) = Math.DivRem(item, groups);
                int first = tile * AttentionTile.MaxRows;
                int count = Math.Min(AttentionTile.MaxRows, rowCount - first);
                attention.Mix(step, firstRow + first, count, group * together, together, rows);
            }
        }
    }

    /// <summary>Items are heads, whose rows have attended.</summary>
    private readonly struct ValuesWork(MultiHeadLatentAttention attention, int count, Buffers rows) : IWork
    {
        public int Count => attention.Shape.Heads;

        public void Run(int begin, int end)
        {
            for (int head = begin; head < end; head++)
                attention.Values(0, count, head, rows);
        }
    }

    /// <summary>Items are heads, whose queries of all rows are made and absorbed.</summary>
    private readonly struct QueriesWork(MultiHeadLatentAttention attention, Step step, Linear query, Activations input, Buffers rows) : IWork
    {
        public int Count => attention.Shape.Heads;

        public void Run(int begin, int end)
        {
            int size = attention.Shape.QuerySize;
            query.Forward(begin * size, end * size, input, [], rows.Query);
            for (int head = begin; head < end; head++)
                attention.Absorb(head, 0, step.Rows, rows);
        }
    }

    /// <summary>Items are some heads of all rows, from the query to the value.</summary>
    private readonly struct HeadsJob(MultiHeadLatentAttention attention, Step step, QueriesWork queries, Buffers rows, int together) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int group = begin; group < end; group++)
            {
                queries.Run(group * together, (group + 1) * together);
                attention.Mix(step, 0, step.Rows, group * together, together, rows);
            }
        }
    }

    /// <summary>The shared buffers at a batch's rows.</summary>
    private readonly struct Buffers(Scratch scratch, int rows)
    {
        internal readonly Activations Query = scratch.Queries.Rows(rows);
        internal readonly Activations Nope = scratch.Nope.Rows(rows);
        internal readonly Activations Latent = scratch.Latents.Rows(rows);
        internal readonly Activations Absorbed = scratch.Absorbed.Rows(rows);
        internal readonly Activations MixedLatent = scratch.MixedLatents.Rows(rows);
        internal readonly Activations Mixed = scratch.Mixed.Rows(rows);
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
    /// <param name="KeyExpand">W_UK of each head <c>[nope, latent]</c>, where prompts are read in expanded form; otherwise null.</param>
    internal sealed record Weights(
        Linear? QueryDown,
        RmsNorm? QueryNorm,
        Linear Query,
        Linear LatentDown,
        RmsNorm LatentNorm,
        Linear[] KeyUp,
        Linear[] ValueUp,
        Linear Output,
        Linear[]? KeyExpand = null);

    /// <summary>Buffers that all layers of a model share.</summary>
    internal sealed class Scratch(int maxRows, LatentShape shape, int queryRank, bool expands = false) : IDisposable
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

        /// <summary>Where prompts are read in expanded form.</summary>
        internal ExpandedAttention? Expanded { get; } = expands ? new(maxRows, shape) : null;

        internal SplitAttention Split { get; } = new(maxRows, shape.Heads, shape.LatentSize);

        public void Dispose()
        {
            Expanded?.Dispose();
            Split.Dispose();
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
