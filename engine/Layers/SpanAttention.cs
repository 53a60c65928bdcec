using Pure.Engine.Kernels;
using Pure.Engine.Memory;

namespace Pure.Engine.Layers;

/// <summary>Where a head's keys and values lie within a position's cache row.</summary>
/// <param name="KeyColumn">First column of the key.</param>
/// <param name="KeySize">Columns of the key.</param>
/// <param name="ValueColumn">First column of the value.</param>
/// <param name="ValueSize">Columns of the value.</param>
internal readonly record struct HeadColumns(int KeyColumn, int KeySize, int ValueColumn, int ValueSize);

/// <summary>
/// softmax(q·K · scale)·V of one query over its sequence, by fixed spans of absolute positions: within a span a softmax around the
/// span's maximum; across spans the (maximum, sum, vector) triples are merged left to right (Milakov and Gimelshein 2018,
/// arXiv:1805.02867). Spans do not depend on how the prompt was cut, so neither do the bits.
/// </summary>
internal static class SpanAttention
{
    /// <summary>Positions in a span: whole cache blocks.</summary>
    internal const int SpanPositions = 4 * KvCache.BlockPositions;

    /// <summary>Largest value size; a span's sum lives on the stack.</summary>
    internal const int MaxValueSize = 8192;

    /// <param name="kernels">The arithmetic.</param>
    /// <param name="sequence">Whose cache.</param>
    /// <param name="layer">Which layer.</param>
    /// <param name="visible">Positions attended to: 0 … visible - 1.</param>
    /// <param name="q">Query <c>[KeySize]</c>.</param>
    /// <param name="head">Where the head's keys and values lie.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="output">Result <c>[ValueSize]</c>.</param>
    internal static void Attend(
        KernelSet kernels, Sequence sequence, int layer, int visible, ReadOnlySpan<float> q, HeadColumns head, float scale, Span<float> output)
    {
        Span<float> scores = stackalloc float[SpanPositions];
        Span<float> partial = stackalloc float[head.ValueSize];
        float max = float.NegativeInfinity;
        float sum = 0;
        output.Clear();
        for (int start = 0; start < visible; start += SpanPositions)
        {
            Span<float> weights = scores[..Math.Min(SpanPositions, visible - start)];
            for (int offset = 0; offset < weights.Length; offset += KvCache.BlockPositions)
            {
                int count = Math.Min(KvCache.BlockPositions, weights.Length - offset);
                CacheRows keys = Rows(sequence, layer, start + offset, count, head.KeyColumn, head.KeySize);
                kernels.Scores(q, keys, scale, weights.Slice(offset, count));
            }

            (float spanMax, float spanSum) = kernels.ExpOfScores(weights);
            partial.Clear();
            for (int offset = 0; offset < weights.Length; offset += KvCache.BlockPositions)
            {
                int count = Math.Min(KvCache.BlockPositions, weights.Length - offset);
                CacheRows values = Rows(sequence, layer, start + offset, count, head.ValueColumn, head.ValueSize);
                kernels.AddWeighted(weights.Slice(offset, count), values, partial);
            }

            float merged = max > spanMax ? max : spanMax;
            float left = Elementary.Exp(max - merged);
            float right = Elementary.Exp(spanMax - merged);
            sum = MathF.FusedMultiplyAdd(sum, left, spanSum * right);
            kernels.MergeScaled(output, left, partial, right);
            max = merged;
        }

        kernels.Divide(output, sum);
    }

    private static CacheRows Rows(Sequence sequence, int layer, int position, int count, int column, int columns) =>
        sequence.Cache.Read(layer, sequence.Block(position / KvCache.BlockPositions), count, column, columns);
}
