using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>Attention of one layer: appends the batch's keys and values to the cache and mixes the values.</summary>
internal abstract class Attention
{
    /// <summary>Whether the input's 8-bit form must have been made.</summary>
    internal abstract bool ReadsQ8 { get; }

    /// <param name="step">The batch and the layer.</param>
    /// <param name="x">Normalised input <c>[rows, embedding]</c>.</param>
    /// <param name="y">Output <c>[rows, embedding]</c>.</param>
    internal abstract void Forward(Step step, in Activations x, in Activations y);

    /// <summary>Every query head of every row against its sequence's cache.</summary>
    /// <param name="kernels">The arithmetic.</param>
    /// <param name="step">The batch and the layer.</param>
    /// <param name="queries"><c>[rows, heads · KeySize]</c>.</param>
    /// <param name="outputs"><c>[rows, heads · ValueSize]</c>.</param>
    /// <param name="first">The first key/value head's columns; each following head's lie one head further.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="group">Query heads that share one key/value head.</param>
    /// <param name="scale">Factor on the scores.</param>
    private protected readonly struct AttendJob(
        KernelSet kernels, Step step, Activations queries, Activations outputs, HeadColumns first, int heads, int group, float scale)
        : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int item = begin; item < end; item++)
            {
                (int row, int head) = Math.DivRem(item, heads);
                ref readonly BatchRow batchRow = ref step.Batch.Rows[row];
                HeadColumns columns = first with
                {
                    KeyColumn = first.KeyColumn + (head / group * first.KeySize),
                    ValueColumn = first.ValueColumn + (head / group * first.ValueSize),
                };
                SpanAttention.Attend(
                    kernels,
                    batchRow.Sequence,
                    step.Layer,
                    batchRow.Position + 1,
                    queries.Row(row).Slice(head * first.KeySize, first.KeySize),
                    columns,
                    scale,
                    outputs.Row(row).Slice(head * first.ValueSize, first.ValueSize));
            }
        }
    }
}
