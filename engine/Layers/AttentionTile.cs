using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Layers;

/// <summary>
/// Queries that read the same keys and values: some rows of one sequence times some heads of one key/value head. A span is read as it
/// is stored where the kernels are fastest so, and else is made floats once for all queries.
/// </summary>
/// <param name="kernels">The arithmetic.</param>
/// <param name="step">The batch and the layer.</param>
/// <param name="heads">Up to <see cref="MaxHeads"/> heads that share their key and value columns.</param>
/// <param name="firstHead">The first head's number.</param>
/// <param name="window">Positions that a query sees, its own included; 0 for all.</param>
/// <param name="queries"><c>[batch rows, all heads · KeySize]</c>.</param>
internal readonly ref struct AttentionTile(
    KernelSet kernels, Step step, ReadOnlySpan<HeadColumns> heads, int firstHead, int window, Activations queries)
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

    /// <summary>Attends from <paramref name="rows"/> rows of one sequence, up to <see cref="MaxRows"/>, to all that they see.</summary>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="outputs"><c>[batch rows, all heads · ValueSize]</c>.</param>
    internal void Attend(int firstRow, int rows, in Activations outputs)
    {
        Span<float> max = stackalloc float[MaxRows * MaxHeads];
        Span<float> sum = stackalloc float[MaxRows * MaxHeads];
        max.Fill(float.NegativeInfinity);
        sum.Clear();
        int begin = int.MaxValue;
        int end = 0;
        for (int row = firstRow; row < firstRow + rows; row++)
        {
            Outputs(outputs, row).Clear();
            (int first, int stop) = SpanAttention.Visible(step, row, window);
            begin = Math.Min(begin, first);
            end = Math.Max(end, stop);
        }

        Span<float> spanMax = stackalloc float[MaxHeads];
        Span<float> spanSum = stackalloc float[MaxHeads];
        Workspace workspace = Prepare(firstRow, rows);
        Span<float> partials = workspace.Partials;
        for (int start = begin; start < end; start = SpanAttention.NextSpan(start))
        {
            Widen(firstRow, start, Math.Min(SpanAttention.NextSpan(start), end), workspace);
            for (int row = firstRow; row < firstRow + rows; row++)
            {
                if (!AttendSpan(row, start, workspace, partials, spanMax, spanSum))
                    continue;
                for (int head = 0; head < _heads.Length; head++)
                {
                    int query = ((row - firstRow) * _heads.Length) + head;
                    Span<float> output = Outputs(outputs, row).Slice(head * ValueSize, ValueSize);
                    ReadOnlySpan<float> partial = partials.Slice(head * ValueSize, ValueSize);
                    SpanAttention.Merge(kernels, ref max[query], ref sum[query], output, spanMax[head], spanSum[head], partial);
                }
            }
        }

        for (int row = firstRow; row < firstRow + rows; row++)
        {
            for (int head = 0; head < _heads.Length; head++)
            {
                int query = ((row - firstRow) * _heads.Length) + head;
                SpanAttention.Finish(
                    kernels, max[query], sum[query], _heads[head].Sink, Outputs(outputs, row).Slice(head * ValueSize, ValueSize));
            }
        }
    }

    /// <summary>Attends to one span alone, the one that holds position <paramref name="start"/>, and keeps what comes out.</summary>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rows">How many, up to <see cref="MaxRows"/>.</param>
    /// <param name="start">The span's first position.</param>
    /// <param name="results">Where results are kept.</param>
    /// <param name="firstSlot">The first row's slot there; other rows follow.</param>
    internal void AttendSpan(int firstRow, int rows, int start, SpanResults results, int firstSlot)
    {
        Workspace workspace = Prepare(firstRow, rows);
        int end = start;
        for (int row = firstRow; row < firstRow + rows; row++)
            end = Math.Max(end, Math.Min(SpanAttention.Visible(step, row, window).End, SpanAttention.NextSpan(start)));
        Widen(firstRow, start, end, workspace);
        for (int row = firstRow; row < firstRow + rows; row++)
        {
            int slot = firstSlot + row - firstRow;
            AttendSpan(
                row,
                start,
                workspace,
                results.Vectors(slot, firstHead, _heads.Length),
                results.Maxima(slot, firstHead, _heads.Length),
                results.Sums(slot, firstHead, _heads.Length));
        }
    }

    /// <summary>One row's heads over what they see of the span that holds <paramref name="start"/>; false if that is nothing.</summary>
    private bool AttendSpan(int row, int start, in Workspace workspace, Span<float> vectors, Span<float> max, Span<float> sum)
    {
        (int begin, int end) = SpanAttention.Visible(step, row, window);
        begin = Math.Max(begin, start);
        end = Math.Min(end, SpanAttention.NextSpan(start));
        if (begin >= end)
            return false;

        Activations rowQueries = queries.Heads(row, firstHead, _heads.Length, KeySize);
        Sequence sequence = step.Batch.Rows[row].Sequence;
        for (int position = begin; position < end;)
        {
            CacheRows keys = workspace.Keys.Count > 0
                ? workspace.Keys.Part(position - start, end - position)
                : Stored(sequence, position, end, _heads[0].KeyColumn, KeySize);
            kernels.Scores(rowQueries, keys, _heads[0].Scale, workspace.Weights[(position - begin)..], Span);
            position += keys.Count;
        }

        for (int head = 0; head < _heads.Length; head++)
            (max[head], sum[head]) = kernels.ExpOfScores(workspace.Weights.Slice(head * Span, end - begin));

        vectors.Clear();
        for (int position = begin; position < end;)
        {
            CacheRows values = workspace.Values.Count > 0
                ? workspace.Values.Part(position - start, end - position)
                : Stored(sequence, position, end, _heads[0].ValueColumn, ValueSize);
            kernels.AddWeighted(workspace.Weights[(position - begin)..], Span, values, vectors);
            position += values.Count;
        }

        return true;
    }

    private Span<float> Outputs(in Activations outputs, int row) => outputs.Row(row).Slice(firstHead * ValueSize, _heads.Length * ValueSize);

    /// <summary>What the cache holds from a position to the end of its block, or to <paramref name="end"/>.</summary>
    private CacheRows Stored(Sequence sequence, int position, int end, int column, int columns) =>
        SpanAttention.Rows(sequence, step.Layer, position, Math.Min(SpanAttention.NextBlock(position), end) - position, column, columns);

    private Workspace Prepare(int firstRow, int rows)
    {
        KvCache cache = step.Batch.Rows[firstRow].Sequence.Cache;
        bool isAlone = rows * _heads.Length == 1;
        int keys = IsMadeFloats(cache.KeyFormat, KeySize, isAlone) ? Span * KeySize : 0;
        int values = !ValuesAreKeys && IsMadeFloats(cache.ValueFormat, ValueSize, isAlone) ? Span * ValueSize : 0;
        AlignedBuffer<float> floats = Floats(keys + values + (MaxHeads * (Span + ValueSize)));
        return new Workspace
        {
            Keys = Rows(floats, 0, keys, KeySize, KeySize),
            Values = ValuesAreKeys ? Rows(floats, 0, keys, KeySize, ValueSize) : Rows(floats, keys, values, ValueSize, ValueSize),
            Weights = floats.Writable(keys + values, _heads.Length * Span),
            Partials = floats.Writable(keys + values + (MaxHeads * Span), _heads.Length * ValueSize),
        };
    }

    /// <summary>Whether queries meet floats made from the cache; a query alone meets floats of any width where they are.</summary>
    private bool IsMadeFloats(ElementFormat format, int columns, bool isAlone) =>
        format.IsQuantized || !(isAlone || kernels.ReadsAsStored(format.Type, columns));

    private static CacheRows Rows(AlignedBuffer<float> floats, int first, int count, int stride, int columns) => CacheRows.Apart(
        floats.View.Slice((long)first * sizeof(float), (long)count * sizeof(float)), ElementType.F32, stride, columns, count / stride);

    /// <summary>Makes a span's keys and values floats, where they are not read as they are stored.</summary>
    private void Widen(int firstRow, int start, int stop, in Workspace workspace)
    {
        Sequence sequence = step.Batch.Rows[firstRow].Sequence;
        int keys = workspace.Keys.Count > 0 ? Span * KeySize : 0;
        if (keys > 0)
            Widen(sequence, start, stop, _heads[0].KeyColumn, KeySize, _floats!.Writable(0, keys));
        if (workspace.Values.Count > 0 && !ValuesAreKeys)
            Widen(sequence, start, stop, _heads[0].ValueColumn, ValueSize, _floats!.Writable(keys, Span * ValueSize));
    }

    private void Widen(Sequence sequence, int start, int stop, int column, int columns, Span<float> target)
    {
        for (int position = start; position < stop; position = SpanAttention.NextBlock(position))
        {
            CacheRows stored = Stored(sequence, position, stop, column, columns);
            kernels.Widen(stored, target.Slice((position - start) * columns, stored.Count * columns));
        }
    }

    /// <summary>Floats of this thread, the same from call to call: for one tile at a time, in absorbed form or expanded.</summary>
    internal static AlignedBuffer<float> Floats(int count)
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

    /// <summary>A thread's floats for one tile.</summary>
    private ref struct Workspace
    {
        /// <summary>Keys made floats <c>[Span, KeySize]</c>; empty where they are read as they are stored.</summary>
        internal CacheRows Keys;

        /// <summary>The same of values <c>[Span, ValueSize]</c>.</summary>
        internal CacheRows Values;

        /// <summary>Scores, then weights <c>[heads, Span]</c>, from the first position that a row sees.</summary>
        internal Span<float> Weights;

        /// <summary>A span's vectors <c>[heads, ValueSize]</c>.</summary>
        internal Span<float> Partials;
    }
}
