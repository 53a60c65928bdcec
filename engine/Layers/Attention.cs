using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>Attention of one layer: appends the batch's keys and values to the cache and mixes the values.</summary>
internal abstract class Attention : Sublayer
{
    /// <summary>Numbers that a position costs in the cache.</summary>
    internal abstract int CacheColumns { get; }

    /// <summary>How many of the cache columns, the last ones, are values; 0 where keys and values are one latent.</summary>
    internal abstract int CacheValueColumns { get; }

    /// <summary>Heads that the cache columns are made of, equal in size: keys of all, then values of all.</summary>
    internal abstract int CacheHeads { get; }

    /// <summary>The largest power of two that divides the columns of every key and every value in the cache.</summary>
    internal abstract int CacheUnit { get; }

    /// <summary>Every query head of every row against its sequence's cache.</summary>
    /// <param name="cpu">What to compute with.</param>
    /// <param name="step">The batch and the layer.</param>
    /// <param name="queries"><c>[rows, heads · KeySize]</c>.</param>
    /// <param name="outputs"><c>[rows, heads · ValueSize]</c>.</param>
    /// <param name="heads">Each query head's columns <c>[heads]</c>; heads of one key/value head follow one another.</param>
    /// <param name="sharing">Query heads per key/value head.</param>
    /// <param name="window">Positions that a query sees, its own included; 0 for all.</param>
    /// <param name="split">Does it where the work is cut by spans.</param>
    private protected static void Attend(
        Cpu cpu,
        Step step,
        in Activations queries,
        in Activations outputs,
        HeadColumns[] heads,
        int sharing,
        int window,
        SplitAttention split)
    {
        if (SplitAttention.Pays(cpu, step, heads.Length, HeadsOfTile(sharing), window))
        {
            var nothing = default(SplitAttention.Nothing);
            split.Attend(cpu, step, queries, outputs, heads, HeadsOfTile(sharing), window, nothing, nothing);
            return;
        }

        int together = HeadsTogether(cpu, step, heads.Length, sharing);
        cpu.Pool.Run(
            new AttendJob(cpu.Kernels, step, queries, outputs, heads, together, window),
            RowTiles(step) * (heads.Length / together),
            grain: 1);
    }

    /// <summary>Heads that one thread takes at a time, of <paramref name="sharing"/> that share their keys and values.</summary>
    private protected static int HeadsTogether(Cpu cpu, Step step, int heads, int sharing)
    {
        // A single row, or a single tile of them, is cut finer, so that every thread has heads to work on.
        int most = Math.Max(1, heads * RowTiles(step) / cpu.Pool.Threads);
        return HeadsOfTile(sharing, most);
    }

    /// <summary>The most heads up to <paramref name="most"/> that cut <paramref name="sharing"/> evenly.</summary>
    private protected static int HeadsOfTile(int sharing, int most = AttentionTile.MaxHeads)
    {
        int together = Math.Min(sharing, Math.Min(most, AttentionTile.MaxHeads));
        while (sharing % together != 0)
            together--;
        return together;
    }

    /// <summary>Tiles of up to <see cref="AttentionTile.MaxRows"/> rows.</summary>
    internal static int RowTiles(Step step) => (step.Rows + AttentionTile.MaxRows - 1) / AttentionTile.MaxRows;

    /// <summary>Some heads of up to <see cref="AttentionTile.MaxRows"/> rows, which may belong to several sequences.</summary>
    private protected static void AttendRows(
        KernelSet kernels,
        Step step,
        int firstRow,
        int rows,
        HeadColumns[] heads,
        int firstHead,
        int together,
        int window,
        in Activations queries,
        in Activations outputs)
    {
        int end = firstRow + rows;
        for (int row = firstRow; row < end;)
        {
            ref readonly BatchRow batchRow = ref step.Batch.Rows[row];
            int next = row + 1;
            while (next < end && step.Batch.Rows[next].Sequence == batchRow.Sequence)
                next++;
            new AttentionTile(kernels, step, heads.AsSpan(firstHead, together), firstHead, window, queries).Attend(row, next - row, outputs);
            row = next;
        }
    }

    /// <summary>Items are (tile of rows, some heads).</summary>
    private readonly struct AttendJob(
        KernelSet kernels, Step step, Activations queries, Activations outputs, HeadColumns[] heads, int together, int window) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
            {
                (int tile, int group) = Math.DivRem(item, heads.Length / together);
                int first = tile * AttentionTile.MaxRows;
                AttendRows(
                    kernels,
                    step,
                    first,
                    Math.Min(AttentionTile.MaxRows, step.Rows - first),
                    heads,
                    group * together,
                    together,
                    window,
                    queries,
                    outputs);
            }
        }
    }
}
