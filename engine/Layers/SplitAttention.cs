using System.Runtime.InteropServices;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>
/// Attention of few rows to long pasts, cut by spans, in one parallel region: any thread takes any span of any sequence for a group of
/// heads and keeps its (maximum, sum, vector); whichever thread completes the next span of a group merges it, and those behind it that
/// are there, from left to right. The bits are those of <see cref="AttentionTile.Attend"/>.
/// </summary>
/// <remarks>
/// Items are handed out in their order: what makes each head's queries, then the spans, then what follows for each head. So an item that
/// waits for earlier ones waits for threads that are at work on them, and these never wait for a later one.
/// </remarks>
internal sealed class SplitAttention(int maxRows, int heads, int valueSize) : IDisposable
{
    /// <summary>Rows times spans that may wait to be merged; a thread that is further ahead waits for the merge.</summary>
    private const int Slots = 128;

    /// <summary>Spans from which on threads have enough to do beside waiting for one another.</summary>
    private const int LeastSpans = 4;

    private readonly SpanResults _results = new(Slots, heads, valueSize);

    // What is merged so far, [rows, heads] each; the vectors are in the outputs.
    private readonly AlignedBuffer<float> _max = new((long)maxRows * heads);
    private readonly AlignedBuffer<float> _sum = new((long)maxRows * heads);
    private readonly Piece[] _pieces = new Piece[maxRows];
    private readonly Group[] _groups = new Group[heads];

    // [groups, Slots]: whether a span is complete and not merged yet; it has the place of its first slot.
    private readonly bool[] _isComplete = new bool[heads * Slots];

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

    /// <summary>Every head of every row.</summary>
    /// <param name="cpu">What to compute with.</param>
    /// <param name="step">The batch and the layer.</param>
    /// <param name="queries"><c>[rows, heads · KeySize]</c>.</param>
    /// <param name="outputs"><c>[rows, heads · valueSize]</c>.</param>
    /// <param name="columns">Each head's columns.</param>
    /// <param name="together">Heads of one key/value head that are taken at a time.</param>
    /// <param name="window">Positions that a query sees, its own included; 0 for all.</param>
    /// <param name="before">What makes a head's queries of all rows; items are heads, or there are none.</param>
    /// <param name="after">What follows for a head when all its rows are there; items are heads, or there are none.</param>
    internal void Attend<TBefore, TAfter>(
        Cpu cpu,
        Step step,
        in Activations queries,
        in Activations outputs,
        HeadColumns[] columns,
        int together,
        int window,
        in TBefore before,
        in TAfter after)
        where TBefore : struct, IWork
        where TAfter : struct, IWork
    {
        var work = new Work(cpu, step, queries, outputs, columns, together, window);
        int pieces = 0;
        int spans = 0;
        int slots = 0;
        for (int row = 0; row < step.Rows; row += _pieces[pieces++].Rows)
        {
            Piece piece = PieceFrom(work, row) with { FirstSpan = spans, FirstSlot = slots };
            _pieces[pieces] = piece;
            spans += piece.Spans;
            slots += piece.Spans * piece.Rows;
        }

        for (int group = 0; group < work.Groups; group++)
            _groups[group] = new Group { Unmade = before.Count == 0 ? 0 : together };
        Array.Clear(_isComplete);
        var job = new Job<TBefore, TAfter>(this, work, pieces, spans, before, after);
        cpu.Pool.Run(job, job.Count, grain: 1);
    }

    /// <summary>The rows from <paramref name="first"/> on that a tile takes, and the spans that they see.</summary>
    private static Piece PieceFrom(in Work work, int first)
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

        int spans = ((end - 1) / SpanAttention.SpanPositions) - (begin / SpanAttention.SpanPositions) + 1;
        return new Piece(first, count, begin, spans);
    }

    /// <summary>One group's heads over one span, when their queries and a place for the results are there.</summary>
    private void AttendSpan(in Work work, int pieces, int group, int span)
    {
        ref Group state = ref _groups[group];
        Piece piece = PieceOf(pieces, span);
        int slot = piece.SlotOf(span);
        var spinner = new SpinWait();
        while (Volatile.Read(ref state.Unmade) > 0 || slot + piece.Rows - Volatile.Read(ref state.MergedSlots) > Slots)
        {
            if (work.Cpu.Pool.HasFailed)
                return;
            spinner.SpinOnce(sleep1Threshold: -1);
        }

        int first = group * work.Together;
        new AttentionTile(work.Cpu.Kernels, work.Step, work.Columns.AsSpan(first, work.Together), first, work.Window, work.Queries)
            .AttendSpan(piece.FirstRow, piece.Rows, piece.StartOf(span), _results, slot);
        Volatile.Write(ref IsComplete(group, slot), true);
        MergeComplete(work, pieces, group);
    }

    /// <summary>
    /// Merges the spans of a group that are next and complete, unless another thread does. A span completed meanwhile is not overlooked:
    /// its thread says that it is complete, fence, tries to become the one that merges; the other leaves off, fence, looks once more.
    /// </summary>
    private void MergeComplete(in Work work, int pieces, int group)
    {
        ref Group state = ref _groups[group];
        while (Interlocked.Exchange(ref state.IsMerging, 1) == 0)
        {
            while (NextIsComplete(pieces, group))
            {
                int span = state.MergedSpans;
                Piece piece = PieceOf(pieces, span);
                for (int row = piece.FirstRow; row < piece.FirstRow + piece.Rows; row++)
                {
                    for (int head = group * work.Together; head < (group + 1) * work.Together; head++)
                        Merge(work, piece, span, row, head);
                }

                IsComplete(group, piece.SlotOf(span)) = false;
                Volatile.Write(ref state.MergedSlots, piece.SlotOf(span + 1));
                Volatile.Write(ref state.MergedSpans, span + 1);
            }

            Interlocked.Exchange(ref state.IsMerging, 0);
            if (!NextIsComplete(pieces, group))
                return;
        }
    }

    private bool NextIsComplete(int pieces, int group)
    {
        int next = Volatile.Read(ref _groups[group].MergedSpans);
        Piece last = _pieces[pieces - 1];
        return next < last.FirstSpan + last.Spans && Volatile.Read(ref IsComplete(group, PieceOf(pieces, next).SlotOf(next)));
    }

    /// <summary>One head of one row: merges a span with those before it.</summary>
    private void Merge(in Work work, in Piece piece, int span, int row, int head)
    {
        int start = piece.StartOf(span);
        int stop = SpanAttention.NextSpan(start);
        (int begin, int end) = SpanAttention.Visible(work.Step, row, work.Window);
        if (begin >= stop || end <= start)
            return;

        ref float max = ref _max.Span[(row * heads) + head];
        ref float sum = ref _sum.Span[(row * heads) + head];
        Span<float> output = work.Outputs.Row(row).Slice(head * valueSize, valueSize);
        if (begin >= start)
        {
            (max, sum) = (float.NegativeInfinity, 0);
            output.Clear();
        }

        int slot = piece.SlotOf(span) + row - piece.FirstRow;
        SpanAttention.Merge(
            work.Cpu.Kernels,
            ref max,
            ref sum,
            output,
            _results.Maxima(slot, head, 1)[0],
            _results.Sums(slot, head, 1)[0],
            _results.Vectors(slot, head, 1));
        if (end <= stop)
            SpanAttention.Finish(work.Cpu.Kernels, max, sum, work.Columns[head].Sink, output);
    }

    private void WaitUntilMerged(in Work work, int group, int spans)
    {
        var spinner = new SpinWait();
        while (Volatile.Read(ref _groups[group].MergedSpans) < spans && !work.Cpu.Pool.HasFailed)
            spinner.SpinOnce(sleep1Threshold: -1);
    }

    private Piece PieceOf(int pieces, int span)
    {
        int piece = pieces - 1;
        while (_pieces[piece].FirstSpan > span)
            piece--;
        return _pieces[piece];
    }

    private ref bool IsComplete(int group, int slot) => ref _isComplete[(group * Slots) + (slot % Slots)];

    public void Dispose()
    {
        _results.Dispose();
        _max.Dispose();
        _sum.Dispose();
    }

    /// <summary>Nothing precedes, or follows.</summary>
    internal readonly struct Nothing : IWork
    {
        /// <inheritdoc/>
        public int Count => 0;

        /// <inheritdoc/>
        public void Run(int begin, int end)
        {
        }
    }

    /// <summary>What all items share.</summary>
    private readonly record struct Work(
        Cpu Cpu, Step Step, Activations Queries, Activations Outputs, HeadColumns[] Columns, int Together, int Window)
    {
        /// <summary>Groups of heads that are taken together.</summary>
        internal int Groups => Columns.Length / Together;
    }

    /// <summary>Some rows of one sequence. Spans are numbered through all pieces, and so are slots: one for each span and row.</summary>
    /// <param name="FirstRow">The first row.</param>
    /// <param name="Rows">How many.</param>
    /// <param name="Start">First position that any of them sees.</param>
    /// <param name="Spans">Spans that any of them sees.</param>
    /// <param name="FirstSpan">Number of the first span.</param>
    /// <param name="FirstSlot">Slot of the first row and span; the rows of a span follow one another.</param>
    private readonly record struct Piece(int FirstRow, int Rows, int Start, int Spans, int FirstSpan = 0, int FirstSlot = 0)
    {
        /// <summary>First position of a span that any of the rows sees.</summary>
        internal int StartOf(int span) =>
            span == FirstSpan ? Start : ((Start / SpanAttention.SpanPositions) + span - FirstSpan) * SpanAttention.SpanPositions;

        /// <summary>Slot of a span's first row.</summary>
        internal int SlotOf(int span) => FirstSlot + ((span - FirstSpan) * Rows);
    }

    /// <summary>How far a group of heads is; on cache lines of its own.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct Group
    {
        /// <summary>Heads whose queries are not made yet.</summary>
        internal int Unmade;

        /// <summary>1 while a thread merges.</summary>
        internal int IsMerging;

        /// <summary>Spans that are merged.</summary>
        internal int MergedSpans;

        /// <summary>Slots that are free again.</summary>
        internal int MergedSlots;
    }

    /// <summary>Items are heads, then (span, some heads), then heads.</summary>
    private readonly struct Job<TBefore, TAfter>(SplitAttention split, Work work, int pieces, int spans, TBefore before, TAfter after) : IWork
        where TBefore : struct, IWork
        where TAfter : struct, IWork
    {
        private readonly TBefore _before = before;
        private readonly TAfter _after = after;

        /// <inheritdoc/>
        public int Count => _before.Count + (spans * work.Groups) + _after.Count;

        /// <inheritdoc/>
        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
                Run(item);
        }

        private void Run(int item)
        {
            int attended = item - _before.Count;
            int last = attended - (spans * work.Groups);
            if (attended < 0)
            {
                _before.Run(item, item + 1);
                Interlocked.Decrement(ref split._groups[item / work.Together].Unmade);
            }
            else if (last < 0)
            {
                (int span, int group) = Math.DivRem(attended, work.Groups);
                split.AttendSpan(work, pieces, group, span);
            }
            else
            {
                split.WaitUntilMerged(work, last / work.Together, spans);
                _after.Run(last, last + 1);
            }
        }
    }
}
