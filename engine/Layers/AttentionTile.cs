using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;

namespace Pure.Engine.Layers;

/// <summary>
/// <see cref="SpanAttention"/> of many queries that read the same keys and values: some rows of one sequence times some heads of one
/// key/value head. Each span of the cache is made floats once, and every query meets it there, in the order and to the bits of
/// <see cref="SpanAttention.Attend"/>. Of quantised caches a single query is a tile too.
/// </summary>
/// <param name="kernels">The arithmetic.</param>
/// <param name="step">The batch and the layer.</param>
/// <param name="heads">Up to <see cref="MaxHeads"/> heads that share their key and value columns.</param>
/// <param name="firstHead">The first head's number.</param>
/// <param name="window">Positions that a query sees, its own included; 0 for all.</param>
/// <param name="queries"><c>[batch rows, all heads · KeySize]</c>.</param>
/// <param name="outputs"><c>[batch rows, all heads · ValueSize]</c>.</param>
internal readonly ref struct AttentionTile(
    KernelSet kernels,
    Step step,
    ReadOnlySpan<HeadColumns> heads,
    int firstHead,
    int window,
    Activations queries,
    Activations outputs)
{
    /// <summary>Most rows of a tile.</summary>
    internal const int MaxRows = 16;

    /// <summary>Most heads of a tile.</summary>
    internal const int MaxHeads = 8;

    private const int Span = SpanAttention.SpanPositions;

    [ThreadStatic]
    private static AlignedBuffer<float>? _floats;

    private readonly ReadOnlySpan<HeadColumns> _heads = heads;

    private int KeySize => _heads[0].KeySize;

    private int ValueSize => _heads[0].ValueSize;

    /// <summary>The latent of MLA is key and value in one: its values are columns of the keys, made floats already.</summary>
    private bool ValuesAreKeys => _heads[0].ValueColumn == _heads[0].KeyColumn && ValueSize <= KeySize;

    /// <summary>Attends from <paramref name="rows"/> rows of one sequence, up to <see cref="MaxRows"/>.</summary>
    internal void Attend(int firstRow, int rows)
    {
        Span<float> max = stackalloc float[MaxRows * MaxHeads];
        Span<float> sum = stackalloc float[MaxRows * MaxHeads];
        max.Fill(float.NegativeInfinity);
        sum.Clear();
        int begin = int.MaxValue;
        int end = 0;
        for (int row = 0; row < rows; row++)
        {
            Outputs(firstRow + row).Clear();
            begin = Math.Min(begin, Begin(firstRow + row));
            end = Math.Max(end, End(firstRow + row));
        }

        // [Span, KeySize] keys, [Span, ValueSize] values, [MaxHeads, Span] weights, [MaxHeads, ValueSize] sums of one row.
        int keyFloats = Span * KeySize;
        int valueFloats = ValuesAreKeys ? 0 : Span * ValueSize;
        AlignedBuffer<float> floats = Floats(keyFloats + valueFloats + (MaxHeads * (Span + ValueSize)));
        Span<float> weights = floats.Writable(keyFloats + valueFloats, _heads.Length * Span);
        Span<float> partials = floats.Writable(keyFloats + valueFloats + (MaxHeads * Span), _heads.Length * ValueSize);
        Sequence sequence = step.Batch.Rows[firstRow].Sequence;
        for (int start = begin; start < end; start = SpanAttention.NextSpan(start))
        {
            int stop = Math.Min(SpanAttention.NextSpan(start), end);
            Widen(sequence, start, stop, _heads[0].KeyColumn, KeySize, floats.Writable(0, keyFloats));
            if (!ValuesAreKeys)
                Widen(sequence, start, stop, _heads[0].ValueColumn, ValueSize, floats.Writable(keyFloats, valueFloats));
            for (int row = 0; row < rows; row++)
            {
                int from = Math.Max(Begin(firstRow + row), start) - start;
                int to = Math.Min(End(firstRow + row), stop) - start;
                if (from >= to)
                    continue;
                int first = row * _heads.Length;
                AddSpan(
                    firstRow + row,
                    Positions(floats.View, from, to, KeySize, KeySize),
                    Positions(ValuesAreKeys ? floats.View : floats.View.Slice((long)keyFloats * sizeof(float), (long)valueFloats * sizeof(float)),
                        from, to, ValueSize, ValuesAreKeys ? KeySize : ValueSize),
                    weights,
                    partials,
                    max[first..],
                    sum[first..]);
            }
        }

        for (int row = 0; row < rows; row++)
        {
            for (int head = 0; head < _heads.Length; head++)
            {
                int query = (row * _heads.Length) + head;
                SpanAttention.Finish(kernels, max[query], sum[query], _heads[head].Sink, Output(firstRow + row, head));
            }
        }
    }

    private int End(int row) => step.Batch.Rows[row].Position + 1;

    private int Begin(int row) => window == 0 ? 0 : Math.Max(0, End(row) - window);

    private Span<float> Outputs(int row) => outputs.Row(row).Slice(firstHead * ValueSize, _heads.Length * ValueSize);

    private Span<float> Output(int row, int head) => Outputs(row).Slice(head * ValueSize, ValueSize);

    /// <summary>One row's heads over one span.</summary>
    private void AddSpan(
        int row, CacheRows keys, CacheRows values, Span<float> weights, Span<float> partials, Span<float> max, Span<float> sum)
    {
        kernels.MatMulFloat(
            new WeightMatrix(ElementType.F32, keys.Data, keys.Count, KeySize),
            0,
            keys.Count,
            queries.Heads(row, firstHead, _heads.Length, KeySize),
            [],
            weights,
            Span);
        Span<float> spanMax = stackalloc float[MaxHeads];
        Span<float> spanSum = stackalloc float[MaxHeads];
        for (int head = 0; head < _heads.Length; head++)
        {
            Span<float> scores = weights.Slice(head * Span, keys.Count);
            kernels.Multiply(scores, _heads[head].Scale);
            (spanMax[head], spanSum[head]) = kernels.ExpOfScores(scores);
        }

        partials.Clear();
        kernels.AddWeighted(weights, Span, values, partials);
        for (int head = 0; head < _heads.Length; head++)
        {
            ReadOnlySpan<float> partial = partials.Slice(head * ValueSize, ValueSize);
            SpanAttention.Merge(kernels, ref max[head], ref sum[head], Output(row, head), spanMax[head], spanSum[head], partial);
        }
    }

    /// <summary>Positions <paramref name="from"/> to <paramref name="to"/> - 1 of a span's floats.</summary>
    private static CacheRows Positions(NativeView floats, int from, int to, int columns, int stride)
    {
        long length = ((long)(to - from - 1) * stride) + columns;
        return new CacheRows(floats.Slice((long)from * stride * sizeof(float), length * sizeof(float)), ElementType.F32, stride, columns, to - from);
    }

    private void Widen(Sequence sequence, int start, int stop, int column, int columns, Span<float> target)
    {
        for (int position = start; position < stop; position = SpanAttention.NextBlock(position))
        {
            int count = Math.Min(SpanAttention.NextBlock(position), stop) - position;
            kernels.Widen(
                SpanAttention.Rows(sequence, step.Layer, position, count, column, columns),
                target.Slice((position - start) * columns, count * columns));
        }
    }

    /// <summary>Floats of this thread, the same from call to call.</summary>
    private static AlignedBuffer<float> Floats(int count)
    {
        AlignedBuffer<float>? floats = _floats;
        if (floats is null || floats.Length < count)
        {
            floats?.Dispose();
            _floats = null;
            _floats = floats = new AlignedBuffer<float>(count);
        }

        return floats;
    }
}
