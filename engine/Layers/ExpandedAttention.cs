using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Layers;

/// <summary>
/// Latent attention in expanded form (DeepSeek-V2, arXiv:2405.04434, equations 9 to 11 and 17 to 19), for rows of prompts: of each span of
/// positions every head's keys W_UK·latent and values W_UV·latent are made from what the cache holds, all rows attend to them, and the next
/// span takes their place. So memory does not grow with the text, nor with the heads that the cache leaves out.
/// </summary>
/// <remarks>
/// A key or value depends on its position's cached latent alone, and a row on the keys and values that it sees: the bits do not tell how a
/// prompt was cut. Buffers are shared by all layers.
/// </remarks>
internal sealed class ExpandedAttention(int maxRows, LatentShape shape) : IDisposable
{
    private const int Span = SpanAttention.SpanPositions;
    private const int TileRows = AttentionTile.MaxRows;

    /// <summary>What the cache holds of a span <c>[positions, latent + rope]</c>.</summary>
    private readonly AlignedBuffer<float> _cached = new((long)Span * shape.CacheColumns);

    /// <summary>The span's latents <c>[positions, latent]</c>.</summary>
    private readonly ActivationBuffer _latents = new(Span, shape.LatentSize);

    /// <summary>The span's keys <c>[heads, positions, nope + rope]</c>.</summary>
    private readonly AlignedBuffer<float> _keys = new((long)shape.Heads * Span * shape.QuerySize);

    /// <summary>The span's values <c>[heads, positions, value]</c>.</summary>
    private readonly AlignedBuffer<float> _values = new((long)shape.Heads * Span * shape.ValueSize);

    // What is merged so far, [rows, heads] each; the vectors are in the outputs.
    private readonly AlignedBuffer<float> _max = new((long)maxRows * shape.Heads);
    private readonly AlignedBuffer<float> _sum = new((long)maxRows * shape.Heads);

    /// <summary>Every head of some rows of one sequence, at consecutive positions.</summary>
    /// <param name="cpu">What to compute with.</param>
    /// <param name="step">The batch and the layer.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="weights">W_UK <c>[nope, latent]</c> and W_UV <c>[value, latent]</c> of each head, and the factor on the scores.</param>
    /// <param name="queries"><c>[rows, heads · (nope + rope)]</c>, rotated.</param>
    /// <param name="outputs"><c>[rows, heads · value]</c>.</param>
    internal void Attend(
        Cpu cpu, Step step, int firstRow, int count, in Weights weights, in Activations queries, in Activations outputs)
    {
        for (int head = 0; head < shape.Heads; head++)
        {
            weights.Key[head].Prepare();
            weights.Value[head].Prepare();
        }

        int end = step.Batch.Rows[firstRow + count - 1].Position + 1;
        for (int start = 0; start < end; start += Span)
        {
            var span = new SpanWork(this, cpu, step, weights, queries, outputs, firstRow, count, start, Math.Min(Span, end - start));
            cpu.Run(new ReadWork(span));
            cpu.Run(new ExpandWork(span));
            cpu.Run(new AttendWork(span));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cached.Dispose();
        _latents.Dispose();
        _keys.Dispose();
        _values.Dispose();
        _max.Dispose();
        _sum.Dispose();
    }

    /// <summary>One position's latent, with its 8-bit form where products read that, and its rotary key, which all heads share.</summary>
    private void Read(in SpanWork span, int position)
    {
        KernelSet kernels = span.Cpu.Kernels;
        Sequence sequence = span.Step.Batch.Rows[span.FirstRow].Sequence;
        Span<float> cached = _cached.Writable((long)position * shape.CacheColumns, shape.CacheColumns);
        kernels.Widen(
            SpanAttention.Rows(sequence, span.Step.Layer, span.Start + position, 1, 0, shape.CacheColumns), cached);
        Activations latents = _latents.Rows(span.Positions);
        cached[..shape.LatentSize].CopyTo(latents.Row(position));
        if (span.Weights.Key[0].ReadsQ8 | span.Weights.Value[0].ReadsQ8)
            kernels.QuantizeRow(latents, position);
        for (int head = 0; head < shape.Heads; head++)
            cached[shape.LatentSize..].CopyTo(Keys(head).Row(position)[shape.NopeSize..]);
    }

    /// <summary>The keys, or the values, of one head.</summary>
    private void Expand(in SpanWork span, int head, bool areValues)
    {
        Linear up = areValues ? span.Weights.Value[head] : span.Weights.Key[head];
        Activations expanded = areValues ? Values(head) : Keys(head).Columns32(0, shape.NopeSize);
        up.Forward(0, up.Outputs, _latents.Rows(span.Positions), [], expanded.Slice(0, span.Positions));
    }

    /// <summary>One head of a tile of rows over the span's positions that they see.</summary>
    private void Attend(in SpanWork span, int tile, int head)
    {
        int first = span.FirstRow + (tile * TileRows);
        int end = Math.Min(first + TileRows, span.FirstRow + span.Rows);
        while (first < end && span.Seen(first) <= 0)
            first++;
        if (first == end)
            return;

        KernelSet kernels = span.Cpu.Kernels;
        int rows = end - first;
        int most = span.Seen(end - 1);
        int fewest = span.Seen(first);
        AlignedBuffer<float> floats = AttentionTile.Floats(TileRows * (Span + shape.ValueSize));
        Span<float> weights = floats.Writable(0, rows * Span);
        Span<float> partials = floats.Writable(TileRows * Span, rows * shape.ValueSize);
        kernels.Scores(
            span.Queries.Slice(first, rows).Columns32(head * shape.QuerySize, shape.QuerySize),
            Stored(_keys, head, shape.QuerySize, most),
            span.Weights.Scale,
            weights,
            Span);

        partials.Clear();
        CacheRows values = Stored(_values, head, shape.ValueSize, most);
        Span<float> maxima = stackalloc float[TileRows];
        Span<float> sums = stackalloc float[TileRows];
        for (int row = 0; row < rows; row++)
            (maxima[row], sums[row]) = kernels.ExpOfScores(weights.Slice(row * Span, span.Seen(first + row)));

        // What all rows see together, and then what each sees besides: for every row in the order of positions.
        kernels.AddWeighted(weights, Span, values.Part(0, fewest), partials);
        for (int row = 0; row < rows; row++)
        {
            int seen = span.Seen(first + row);
            Span<float> partial = partials.Slice(row * shape.ValueSize, shape.ValueSize);
            if (seen > fewest)
                kernels.AddWeighted(weights[((row * Span) + fewest)..((row * Span) + seen)], values.Part(fewest, seen - fewest), partial);
            Merge(span, first + row, head, maxima[row], sums[row], partial);
        }
    }

    private void Merge(in SpanWork span, int row, int head, float spanMax, float spanSum, ReadOnlySpan<float> partial)
    {
        KernelSet kernels = span.Cpu.Kernels;
        ref float max = ref _max.Span[(row * shape.Heads) + head];
        ref float sum = ref _sum.Span[(row * shape.Heads) + head];
        Span<float> output = span.Outputs.Row(row).Slice(head * shape.ValueSize, shape.ValueSize);
        if (span.Start == 0)
        {
            (max, sum) = (float.NegativeInfinity, 0);
            output.Clear();
        }

        SpanAttention.Merge(kernels, ref max, ref sum, output, spanMax, spanSum, partial);
        if (span.Start + span.Seen(row) > span.Step.Batch.Rows[row].Position)
            SpanAttention.Finish(kernels, max, sum, null, output);
    }

    private Activations Keys(int head) => Activations.Floats(_keys, shape.Heads * Span, shape.QuerySize).Slice(head * Span, Span);

    private Activations Values(int head) => Activations.Floats(_values, shape.Heads * Span, shape.ValueSize).Slice(head * Span, Span);

    private static CacheRows Stored(AlignedBuffer<float> all, int head, int columns, int count) => CacheRows.Apart(
        all.View.Slice((long)head * Span * columns * sizeof(float), (long)count * columns * sizeof(float)),
        ElementType.F32,
        columns,
        columns,
        count);

    /// <summary>What expansion multiplies with.</summary>
    /// <param name="Key">W_UK of each head <c>[nope, latent]</c>.</param>
    /// <param name="Value">W_UV of each head <c>[value, latent]</c>.</param>
    /// <param name="Scale">Factor on the scores.</param>
    internal readonly record struct Weights(Linear[] Key, Linear[] Value, float Scale);

    /// <summary>Some rows and a span of positions.</summary>
    private readonly record struct SpanWork(
        ExpandedAttention Attention,
        Cpu Cpu,
        Step Step,
        Weights Weights,
        Activations Queries,
        Activations Outputs,
        int FirstRow,
        int Rows,
        int Start,
        int Positions)
    {
        /// <summary>How many of the span's positions a row sees.</summary>
        internal int Seen(int row) => Math.Min(Positions, Step.Batch.Rows[row].Position + 1 - Start);
    }

    /// <summary>Items are positions, some at a time.</summary>
    private readonly struct ReadWork(SpanWork span) : IWork
    {
        private const int Grain = 8;

        public int Count => (span.Positions + Grain - 1) / Grain;

        public void Run(int begin, int end)
        {
            for (int position = begin * Grain; position < Math.Min(end * Grain, span.Positions); position++)
                span.Attention.Read(span, position);
        }
    }

    /// <summary>Items are the keys of a head, or its values.</summary>
    private readonly struct ExpandWork(SpanWork span) : IWork
    {
        public int Count => 2 * span.Weights.Key.Length;

        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
                span.Attention.Expand(span, item / 2, areValues: item % 2 == 1);
        }
    }

    /// <summary>Items are (head, tile of rows).</summary>
    private readonly struct AttendWork(SpanWork span) : IWork
    {
        public int Count => span.Weights.Key.Length * Tiles;

        private int Tiles => (span.Rows + TileRows - 1) / TileRows;

        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
            {
                (int head, int tile) = Math.DivRem(item, Tiles);
                span.Attention.Attend(span, tile, head);
            }
        }
    }
}
