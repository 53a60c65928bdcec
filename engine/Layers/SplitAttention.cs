using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>
/// Attention of few rows to long pasts, cut by spans: any thread takes any span of any sequence and keeps its (maximum, sum, vector);
/// afterwards each head merges those of its rows from left to right. The bits are those of <see cref="AttentionTile.Attend"/>.
/// </summary>
internal sealed class SplitAttention(int maxRows, int heads, int valueSize) : IDisposable
{
    /// <summary>Rows times spans between two merges; pasts that have more are read in passes.</summary>
    private const int Slots = 256;

    /// <summary>Spans from which on the second barrier costs little.</summary>
    private const int LeastSpans = 4;

    private readonly SpanResults _results = new(Slots, heads, valueSize);

    // What is merged so far, [rows, heads] each; the vectors are in the outputs.
    private readonly AlignedBuffer<float> _max = new((long)maxRows * heads);
    private readonly AlignedBuffer<float> _sum = new((long)maxRows * heads);
    private readonly Piece[] _pieces = new Piece[Slots];

    /// <summary>Whether rows and heads alone would keep threads waiting, and the past is long enough to cut.</summary>
    internal static bool Pays(Cpu cpu, Step step, int heads, int together, int window)
    {
        const int ItemsPerThread = 4;
        if (cpu.Pool.Threads == 1 || Attention.RowTiles(step) * (heads / together) >= ItemsPerThread * cpu.Pool.Threads)
            return false;
        for (int row = 0; row < step.Rows; row++)
        {
            (int begin, int end) = SpanAttention.Visible(step, row, window);
            if (end - begin > (LeastSpans - 1) * SpanAttention.SpanPositions)
                return true;
        }

        return false;
    }

    /// <summary>Every head of every row, then <paramref name="after"/> for each head.</summary>
    /// <param name="cpu">What to compute with.</param>
    /// <param name="step">The batch and the layer.</param>
    /// <param name="queries"><c>[rows, heads · KeySize]</c>.</param>
    /// <param name="outputs"><c>[rows, heads · valueSize]</c>.</param>
    /// <param name="columns">Each head's columns.</param>
    /// <param name="together">Heads of one key/value head that are taken at a time.</param>
    /// <param name="window">Positions that a query sees, its own included; 0 for all.</param>
    /// <param name="after">What follows for a head when all its rows are there; items are heads.</param>
    internal void Attend<TAfter>(
        Cpu cpu,
        Step step,
        in Activations queries,
        in Activations outputs,
        HeadColumns[] columns,
        int together,
        int window,
        in TAfter after)
        where TAfter : struct, IRangeJob
    {
        var work = new Work(cpu.Kernels, step, queries, outputs, columns, together, window);
        int row = 0;
        int start = -1;
        while (row < step.Rows)
        {
            int pieces = 0;
            int slots = 0;
            int items = 0;
            while (row < step.Rows)
            {
                (int rows, int begin, int end) = RowsOfOneSequence(work, row);
                start = Math.Max(start, begin);
                int left = ((end - 1) / SpanAttention.SpanPositions) - (start / SpanAttention.SpanPositions) + 1;
                int spans = Math.Min(left, (Slots - slots) / rows);
                if (spans == 0)
                    break;
                _pieces[pieces++] = new Piece(row, rows, start, spans, slots, items);
                slots += spans * rows;
                items += spans * (heads / together);
                if (spans < left)
                {
                    start = Piece.StartOf(start, spans);
                    break;
                }

                row += rows;
                start = -1;
            }

            cpu.Pool.Run(new SpansJob(this, work, pieces), items, grain: 1);
            cpu.Pool.Run(new MergeJob<TAfter>(this, work, pieces, row == step.Rows, after), heads, grain: 1);
        }
    }

    /// <summary>Rows from <paramref name="first"/> on that a tile takes, and the positions that they see.</summary>
    private static (int Rows, int Begin, int End) RowsOfOneSequence(in Work work, int first)
    {
        ReadOnlySpan<BatchRow> rows = work.Step.Batch.Rows;
        int count = 0;
        int begin = int.MaxValue;
        int end = 0;
        while (count < AttentionTile.MaxRows && first + count < rows.Length && rows[first + count].Sequence == rows[first].Sequence)
        {
            (int rowBegin, int rowEnd) = SpanAttention.Visible(work.Step, first + count, work.Window);
            begin = Math.Min(begin, rowBegin);
            end = Math.Max(end, rowEnd);
            count++;
        }

        return (count, begin, end);
    }

    private void AttendSpan(in Work work, in Piece piece, int span, int group)
    {
        int first = group * work.Together;
        new AttentionTile(work.Kernels, work.Step, work.Columns.AsSpan(first, work.Together), first, work.Window, work.Queries)
            .AttendSpan(piece.FirstRow, piece.Rows, piece.StartOf(span), _results, piece.FirstSlot + (span * piece.Rows));
    }

    private void Merge(in Work work, in Piece piece, int row, int head)
    {
        ref float max = ref _max.Span[(row * heads) + head];
        ref float sum = ref _sum.Span[(row * heads) + head];
        Span<float> output = work.Outputs.Row(row).Slice(head * valueSize, valueSize);
        (int begin, int end) = SpanAttention.Visible(work.Step, row, work.Window);
        for (int span = 0; span < piece.Spans; span++)
        {
            int start = piece.StartOf(span);
            int stop = SpanAttention.NextSpan(start);
            if (begin >= stop || end <= start)
                continue;
            if (begin >= start)
            {
                (max, sum) = (float.NegativeInfinity, 0);
                output.Clear();
            }

            int slot = piece.FirstSlot + (span * piece.Rows) + row - piece.FirstRow;
            SpanAttention.Merge(
                work.Kernels,
                ref max,
                ref sum,
                output,
                _results.Maxima(slot, head, 1)[0],
                _results.Sums(slot, head, 1)[0],
                _results.Vectors(slot, head, 1));
            if (end <= stop)
                SpanAttention.Finish(work.Kernels, max, sum, work.Columns[head].Sink, output);
        }
    }

    public void Dispose()
    {
        _results.Dispose();
        _max.Dispose();
        _sum.Dispose();
    }

    /// <summary>Nothing follows.</summary>
    internal readonly struct Nothing : IRangeJob
    {
        public void Run(int begin, int end)
        {
        }
    }

    /// <summary>What all items share.</summary>
    private readonly record struct Work(
        KernelSet Kernels, Step Step, Activations Queries, Activations Outputs, HeadColumns[] Columns, int Together, int Window);

    /// <summary>Some spans of some rows of one sequence.</summary>
    /// <param name="FirstRow">The first row.</param>
    /// <param name="Rows">How many.</param>
    /// <param name="Start">First position of the first span that any of them sees.</param>
    /// <param name="Spans">How many spans.</param>
    /// <param name="FirstSlot">Slot of the first row and span; the rows of a span follow one another.</param>
    /// <param name="FirstItem">Number of the first (span, heads) among all pieces'.</param>
    private readonly record struct Piece(int FirstRow, int Rows, int Start, int Spans, int FirstSlot, int FirstItem)
    {
        internal static int StartOf(int start, int span) =>
            span == 0 ? start : ((start / SpanAttention.SpanPositions) + span) * SpanAttention.SpanPositions;

        internal int StartOf(int span) => StartOf(Start, span);
    }

    /// <summary>Items are (span, some heads), piece by piece.</summary>
    private readonly struct SpansJob(SplitAttention split, Work work, int pieces) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            int groups = work.Columns.Length / work.Together;
            for (int item = begin; item < end; item++)
            {
                int piece = pieces - 1;
                while (split._pieces[piece].FirstItem > item)
                    piece--;
                (int span, int group) = Math.DivRem(item - split._pieces[piece].FirstItem, groups);
                split.AttendSpan(work, split._pieces[piece], span, group);
            }
        }
    }

    /// <summary>Items are heads.</summary>
    private readonly struct MergeJob<TAfter>(SplitAttention split, Work work, int pieces, bool isLast, TAfter after) : IRangeJob
        where TAfter : struct, IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int head = begin; head < end; head++)
            {
                for (int i = 0; i < pieces; i++)
                {
                    Piece piece = split._pieces[i];
                    for (int row = piece.FirstRow; row < piece.FirstRow + piece.Rows; row++)
                        split.Merge(work, piece, row, head);
                }
            }

            if (isLast)
                after.Run(begin, end);
        }
    }
}
