using System.Runtime.Intrinsics;
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

    /// <summary>Four keys at a time.</summary>
    internal static void Scores<TLanes, TElement>(float* q, in CacheRows keys, float scale, float* scores)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        byte* first = keys.Data.Pointer;
        nint stride = (nint)keys.Stride * TElement.Bytes;
        int count = keys.Count;
        int columns = keys.Columns;
        for (int p = 0; p < count; p += 4)
        {
            // Past the end the last key stands in, and its results are dropped.
            int last = count - 1;
            Vector128<float> four = FloatDot.Vector4<TLanes, TElement>(
                first + (p * stride),
                first + (Math.Min(p + 1, last) * stride),
                first + (Math.Min(p + 2, last) * stride),
                first + (Math.Min(p + 3, last) * stride),
                q,
                columns) * scale;
            if (p + 4 <= count)
            {
                four.Store(scores + p);
            }
            else
            {
                for (int i = 0; p + i < count; i++)
                    scores[p + i] = four.GetElement(i);
            }
        }
    }

    internal static (float Max, float Sum) ExpOfScores<TLanes>(float* scores, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        int whole = count / FloatDot.Lanes * FloatDot.Lanes;
        TLanes maxima = TLanes.Broadcast(float.NegativeInfinity);
        for (int i = 0; i < whole; i += FloatDot.Lanes)
            maxima = TLanes.Max(maxima, TLanes.Load(scores + i));
        float* lanes = stackalloc float[FloatDot.Lanes];
        TLanes.Store(maxima, lanes);
        float max = float.NegativeInfinity;
        for (int i = 0; i < FloatDot.Lanes; i++)
            max = MathF.Max(max, lanes[i]);
        for (int i = whole; i < count; i++)
            max = MathF.Max(max, scores[i]);

        TLanes highest = TLanes.Broadcast(max);
        TLanes sums = TLanes.Broadcast(0);
        for (int i = 0; i < whole; i += FloatDot.Lanes)
        {
            TLanes exponentials = Elementary.Exp(TLanes.Load(scores + i) - highest);
            TLanes.Store(exponentials, scores + i);
            sums += exponentials;
        }

        // The last few scores go to the lanes of their places.
        TLanes.Store(sums, lanes);
        for (int i = whole; i < count; i++)
        {
            scores[i] = Elementary.Exp(scores[i] - max);
            lanes[i - whole] += scores[i];
        }

        return (max, FloatDot.Tree(lanes));
    }

    /// <summary>Sixty-four columns at a time stay in registers over all positions.</summary>
    internal static void AddWeighted<TLanes, TElement>(float* weights, in CacheRows values, float* accumulator)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        const int Strip = 4 * FloatDot.Lanes;
        byte* first = values.Data.Pointer;
        nint stride = (nint)values.Stride * TElement.Bytes;
        nint step = FloatDot.Lanes * TElement.Bytes;
        int count = values.Count;
        int columns = values.Columns;
        int column = 0;
        for (; column <= columns - Strip; column += Strip)
        {
            float* target = accumulator + column;
            TLanes sums0 = TLanes.Load(target);
            TLanes sums1 = TLanes.Load(target + FloatDot.Lanes);
            TLanes sums2 = TLanes.Load(target + (2 * FloatDot.Lanes));
            TLanes sums3 = TLanes.Load(target + (3 * FloatDot.Lanes));
            byte* row = first + ((nint)column * TElement.Bytes);
            for (int p = 0; p < count; p++, row += stride)
            {
                TLanes weight = TLanes.Broadcast(weights[p]);
                sums0 = TLanes.FusedMultiplyAdd(weight, TElement.Load<TLanes>(row), sums0);
                sums1 = TLanes.FusedMultiplyAdd(weight, TElement.Load<TLanes>(row + step), sums1);
                sums2 = TLanes.FusedMultiplyAdd(weight, TElement.Load<TLanes>(row + (2 * step)), sums2);
                sums3 = TLanes.FusedMultiplyAdd(weight, TElement.Load<TLanes>(row + (3 * step)), sums3);
            }

            TLanes.Store(sums0, target);
            TLanes.Store(sums1, target + FloatDot.Lanes);
            TLanes.Store(sums2, target + (2 * FloatDot.Lanes));
            TLanes.Store(sums3, target + (3 * FloatDot.Lanes));
        }

        for (; column <= columns - FloatDot.Lanes; column += FloatDot.Lanes)
        {
            TLanes sums = TLanes.Load(accumulator + column);
            byte* row = first + ((nint)column * TElement.Bytes);
            for (int p = 0; p < count; p++, row += stride)
                sums = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights[p]), TElement.Load<TLanes>(row), sums);
            TLanes.Store(sums, accumulator + column);
        }

        for (; column < columns; column++)
        {
            float sum = accumulator[column];
            byte* row = first + ((nint)column * TElement.Bytes);
            for (int p = 0; p < count; p++, row += stride)
                sum = MathF.FusedMultiplyAdd(weights[p], TElement.LoadOne(row), sum);
            accumulator[column] = sum;
        }
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
