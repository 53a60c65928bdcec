using Pure.Engine.Kernels;
using Pure.Engine.Memory;

namespace Pure.Engine.Layers;

/// <summary>Where a head's keys and values lie within a position's cache row, and how they score.</summary>
/// <param name="KeyColumn">First column of the key.</param>
/// <param name="KeySize">Columns of the key.</param>
/// <param name="ValueColumn">First column of the value.</param>
/// <param name="ValueSize">Columns of the value.</param>
/// <param name="Scale">Factor on the scores.</param>
/// <param name="Sink">A score that takes part in the softmax without a position (gpt-oss), or null.</param>
internal readonly record struct HeadColumns(int KeyColumn, int KeySize, int ValueColumn, int ValueSize, float Scale, float? Sink = null);

/// <summary>
/// The definition of attention: softmax(q·K · scale)·V of one query over its sequence, by fixed spans of absolute positions: within a span a softmax around the
/// span's maximum; across spans the (maximum, sum, vector) triples are merged left to right (Milakov and Gimelshein 2018,
/// arXiv:1805.02867). Spans do not depend on how the prompt was cut, so neither do the bits.
/// </summary>
internal static class SpanAttention
{
    /// <summary>Positions in a span: whole cache blocks.</summary>
    internal const int SpanPositions = 4 * KvCache.BlockPositions;

    /// <summary>Largest value size.</summary>
    internal const int MaxValueSize = 8192;

    /// <summary>The positions that a row sees: from the first to one before the end.</summary>
    internal static (int Begin, int End) Visible(Step step, int row, int window)
    {
        int end = step.Batch.Rows[row].Position + 1;
        return (window == 0 ? 0 : Math.Max(0, end - window), end);
    }

    /// <summary>Merges a span's (maximum, sum, vector) into that of the spans before it.</summary>
    internal static void Merge(
        KernelSet kernels, ref float max, ref float sum, Span<float> output, float spanMax, float spanSum, ReadOnlySpan<float> partial)
    {
        float merged = max > spanMax ? max : spanMax;
        float left = Elementary.Exp(max - merged);
        float right = Elementary.Exp(spanMax - merged);
        sum = MathF.FusedMultiplyAdd(sum, left, spanSum * right);
        kernels.MergeScaled(output, left, partial, right);
        max = merged;
    }

    /// <summary>The merged vector over its sum.</summary>
    internal static void Finish(KernelSet kernels, float max, float sum, float? sinkScore, Span<float> output)
    {
        // A sink takes part in the softmax and has no value. Far above every score it makes the sum infinite and the result 0, its limit.
        if (sinkScore is { } sink)
            sum += Elementary.Exp(sink - max);
        kernels.Divide(output, sum);
    }

    internal static int NextSpan(int position) => ((position / SpanPositions) + 1) * SpanPositions;

    internal static int NextBlock(int position) => ((position / KvCache.BlockPositions) + 1) * KvCache.BlockPositions;

    internal static CacheRows Rows(Sequence sequence, int layer, int position, int count, int column, int columns) => sequence.Cache.Read(
        layer, sequence.Block(position / KvCache.BlockPositions), position % KvCache.BlockPositions, count, column, columns);
}
