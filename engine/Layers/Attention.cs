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
    /// <param name="kernels">The arithmetic.</param>
    /// <param name="step">The batch and the layer.</param>
    /// <param name="queries"><c>[rows, heads · KeySize]</c>.</param>
    /// <param name="outputs"><c>[rows, heads · ValueSize]</c>.</param>
    /// <param name="heads">Each query head's columns <c>[heads]</c>.</param>
    /// <param name="window">Positions that a query sees, its own included; 0 for all.</param>
    private protected readonly struct AttendJob(
        KernelSet kernels, Step step, Activations queries, Activations outputs, HeadColumns[] heads, int window) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
            {
                (int row, int head) = Math.DivRem(item, heads.Length);
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
}
