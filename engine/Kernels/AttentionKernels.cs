using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>
/// The three steps of attention over one span of cached positions (Vaswani et al. 2017, eq. 1, with the online softmax of Milakov
/// and Gimelshein 2018): scores, exponentials, weighted sum.
/// </summary>
internal static unsafe class AttentionKernels
{
    /// <summary>The definition: scores[p] = FloatDot(q, key p) · scale, keys of 16 bits widened exactly first.</summary>
    internal static void ScoresScalar(float* q, in CacheRows keys, float scale, float* scores, float* scratch)
    {
        for (int p = 0; p < keys.Count; p++)
            scores[p] = FloatDot.Scalar(q, Row(keys, p, scratch), keys.Columns) * scale;
    }

    /// <summary>
    /// The definition: max = the IEEE maximum of all (NaN if any is NaN; −∞ of none); each score becomes exp(score − max); sum in
    /// sixteen partial sums, score i in sum i mod 16, then the tree.
    /// </summary>
    internal static (float Max, float Sum) ExpOfScoresScalar(float* scores, int count)
    {
        float max = float.NegativeInfinity;
        for (int i = 0; i < count; i++)
            max = MathF.Max(max, scores[i]);

        float* sums = stackalloc float[FloatDot.Lanes];
        FloatDot.Clear(sums);
        for (int i = 0; i < count; i++)
        {
            scores[i] = Elementary.Exp(scores[i] - max);
            sums[i % FloatDot.Lanes] += scores[i];
        }

        return (max, FloatDot.Tree(sums));
    }

    /// <summary>The definition: accumulator = fma(weights[p], value p, accumulator), in the order of positions.</summary>
    internal static void AddWeightedScalar(float* weights, in CacheRows values, float* accumulator, float* scratch)
    {
        for (int p = 0; p < values.Count; p++)
            ElementwiseKernels.AddScaled(accumulator, weights[p], Row(values, p, scratch), 0, values.Columns);
    }

    /// <summary>Row <paramref name="p"/> as floats: where it lies, or widened into <paramref name="scratch"/>.</summary>
    private static float* Row(in CacheRows rows, int p, float* scratch)
    {
        long offset = (long)p * rows.Stride;
        if (!rows.IsHalf)
            return (float*)rows.Data.Pointer + offset;
        F16.Dequantize(rows.Data.Pointer + (offset * sizeof(ushort)), scratch, rows.Columns);
        return scratch;
    }
}
