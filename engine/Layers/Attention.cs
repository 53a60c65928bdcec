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

    /// <summary>Every query head of every row against its sequence's cache.</summary>
    /// <param name="cpu">What to compute with.</param>
    /// <param name="step">The batch and the layer.</param>
    /// <param name="queries"><c>[rows, heads · KeySize]</c>.</param>
    /// <param name="outputs"><c>[rows, heads · ValueSize]</c>.</param>
    /// <param name="heads">Each query head's columns <c>[heads]</c>; heads of one key/value head follow one another.</param>
    /// <param name="sharing">Query heads per key/value head.</param>
    /// <param name="window">Positions that a query sees, its own included; 0 for all.</param>
    private protected static void Attend(
        Cpu cpu, Step step, in Activations queries, in Activations outputs, HeadColumns[] heads, int sharing, int window)
    {
        // A single row is cut finer, so that every thread has heads to work on.
        int most = step.Rows == 1 ? Math.Max(1, heads.Length / cpu.Pool.Threads) : AttentionTile.MaxHeads;
        int together = Math.Min(sharing, Math.Min(most, AttentionTile.MaxHeads));
        while (sharing % together != 0)
            together--;
        int rowTiles = (step.Rows + AttentionTile.MaxRows - 1) / AttentionTile.MaxRows;
        cpu.Pool.Run(
            new AttendJob(cpu.Kernels, step, queries, outputs, heads, together, window), rowTiles * (heads.Length / together), grain: 1);
    }

    private readonly struct AttendJob(
        KernelSet kernels, Step step, Activations queries, Activations outputs, HeadColumns[] heads, int together, int window) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
            {
                (int tile, int group) = Math.DivRem(item, heads.Length / together);
                int stop = Math.Min((tile + 1) * AttentionTile.MaxRows, step.Rows);
                for (int row = tile * AttentionTile.MaxRows; row < stop;)
                {
                    int next = row + 1;
                    while (next < stop && step.Batch.Rows[next].Sequence == step.Batch.Rows[row].Sequence)
                        next++;
                    Rows(row, next - row, group * together);
                    row = next;
                }
            }
        }

        private void Rows(int row, int count, int head)
        {
            if (count > 1 || together > 1)
            {
                new AttentionTile(kernels, step, heads.AsSpan(head, together), head, window, queries, outputs).Attend(row, count);
                return;
            }

            ref readonly BatchRow batchRow = ref step.Batch.Rows[row];
            HeadColumns columns = heads[head];
            int visible = batchRow.Position + 1;
            SpanAttention.Attend(
                kernels,
                batchRow.Sequence,
                step.Layer,
                window == 0 ? 0 : Math.Max(0, visible - window),
                visible,
                queries.Row(row).Slice(head * columns.KeySize, columns.KeySize),
                columns,
                outputs.Row(row).Slice(head * columns.ValueSize, columns.ValueSize));
        }
    }
}
