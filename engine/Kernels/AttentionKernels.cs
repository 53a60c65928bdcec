using System.Runtime.CompilerServices;
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

    /// <summary>The scores of keys that are floats of any width.</summary>
    internal static void Scores<TLanes>(float* q, in CacheRows keys, float scale, float* scores)
        where TLanes : struct, ILanes<TLanes>
    {
        switch (keys.Type)
        {
            case ElementType.F16: Scores<TLanes, HalfElement>(q, keys, scale, scores); break;
            case ElementType.BF16: Scores<TLanes, BrainElement>(q, keys, scale, scores); break;
            default: Scores<TLanes, SingleElement>(q, keys, scale, scores); break;
        }
    }

    /// <summary>The weighted sum of values that are floats of any width.</summary>
    internal static void AddWeighted<TLanes>(float* weights, in CacheRows values, float* accumulator)
        where TLanes : struct, ILanes<TLanes>
    {
        switch (values.Type)
        {
            case ElementType.F16: AddWeighted<TLanes, HalfElement>(weights, values, accumulator); break;
            case ElementType.BF16: AddWeighted<TLanes, BrainElement>(weights, values, accumulator); break;
            default: AddWeighted<TLanes, SingleElement>(weights, values, accumulator); break;
        }
    }

    /// <summary>Four keys at a time.</summary>
    private static void Scores<TLanes, TElement>(float* q, in CacheRows keys, float scale, float* scores)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        byte* first = keys.Data.Pointer;
        var stride = (nint)keys.RowBytes;
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
    private static void AddWeighted<TLanes, TElement>(float* weights, in CacheRows values, float* accumulator)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        const int Strip = 4 * FloatDot.Lanes;
        byte* first = values.Data.Pointer;
        var stride = (nint)values.RowBytes;
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

    /// <summary>
    /// <see cref="AddWeighted{TLanes, TElement}"/> of float rows for four queries at once, which share the loads of the values.
    /// </summary>
    /// <param name="weights">Each query's weights <c>[4, weightStride]</c>, of which the first count.</param>
    /// <param name="weightStride">Elements from one query's weights to the next's.</param>
    /// <param name="values">Float rows.</param>
    /// <param name="accumulators">Each query's sum <c>[4, columns]</c>.</param>
    internal static void AddWeighted4<TLanes>(float* weights, int weightStride, in CacheRows values, float* accumulators)
        where TLanes : struct, ILanes<TLanes>
    {
        byte* first = values.Data.Pointer;
        var stride = (nint)values.RowBytes;
        int columns = values.Columns;
        int column = 0;
        if (TLanes.HasManyRegisters)
        {
            for (; column <= columns - (2 * FloatDot.Lanes); column += 2 * FloatDot.Lanes)
                AddStrip2<TLanes>(weights, weightStride, first + (sizeof(float) * column), stride, values.Count, accumulators + column, columns);
        }

        for (; column <= columns - FloatDot.Lanes; column += FloatDot.Lanes)
            AddStrip1<TLanes>(weights, weightStride, first + (sizeof(float) * column), stride, values.Count, accumulators + column, columns);
        for (; column < columns; column++)
        {
            for (int query = 0; query < 4; query++)
            {
                float sum = accumulators[(query * columns) + column];
                for (int p = 0; p < values.Count; p++)
                    sum = MathF.FusedMultiplyAdd(weights[(query * weightStride) + p], ((float*)(first + (p * stride)))[column], sum);
                accumulators[(query * columns) + column] = sum;
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AddStrip1<TLanes>(float* weights, int weightStride, byte* value, nint stride, int count, float* target, int columns)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes sums0 = TLanes.Load(target);
        TLanes sums1 = TLanes.Load(target + columns);
        TLanes sums2 = TLanes.Load(target + (2 * columns));
        TLanes sums3 = TLanes.Load(target + (3 * columns));
        float* weights1 = weights + weightStride;
        float* weights2 = weights1 + weightStride;
        float* weights3 = weights2 + weightStride;
        for (int p = 0; p < count; p++, value += stride)
        {
            TLanes values = TLanes.Load((float*)value);
            sums0 = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights[p]), values, sums0);
            sums1 = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights1[p]), values, sums1);
            sums2 = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights2[p]), values, sums2);
            sums3 = TLanes.FusedMultiplyAdd(TLanes.Broadcast(weights3[p]), values, sums3);
        }

        TLanes.Store(sums0, target);
        TLanes.Store(sums1, target + columns);
        TLanes.Store(sums2, target + (2 * columns));
        TLanes.Store(sums3, target + (3 * columns));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AddStrip2<TLanes>(float* weights, int weightStride, byte* value, nint stride, int count, float* target, int columns)
        where TLanes : struct, ILanes<TLanes>
    {
        float* target1 = target + columns;
        float* target2 = target1 + columns;
        float* target3 = target2 + columns;
        TLanes low0 = TLanes.Load(target);
        TLanes low1 = TLanes.Load(target1);
        TLanes low2 = TLanes.Load(target2);
        TLanes low3 = TLanes.Load(target3);
        TLanes high0 = TLanes.Load(target + FloatDot.Lanes);
        TLanes high1 = TLanes.Load(target1 + FloatDot.Lanes);
        TLanes high2 = TLanes.Load(target2 + FloatDot.Lanes);
        TLanes high3 = TLanes.Load(target3 + FloatDot.Lanes);
        float* weights1 = weights + weightStride;
        float* weights2 = weights1 + weightStride;
        float* weights3 = weights2 + weightStride;
        for (int p = 0; p < count; p++, value += stride)
        {
            TLanes low = TLanes.Load((float*)value);
            TLanes high = TLanes.Load((float*)value + FloatDot.Lanes);
            TLanes weight0 = TLanes.Broadcast(weights[p]);
            low0 = TLanes.FusedMultiplyAdd(weight0, low, low0);
            high0 = TLanes.FusedMultiplyAdd(weight0, high, high0);
            TLanes weight1 = TLanes.Broadcast(weights1[p]);
            low1 = TLanes.FusedMultiplyAdd(weight1, low, low1);
            high1 = TLanes.FusedMultiplyAdd(weight1, high, high1);
            TLanes weight2 = TLanes.Broadcast(weights2[p]);
            low2 = TLanes.FusedMultiplyAdd(weight2, low, low2);
            high2 = TLanes.FusedMultiplyAdd(weight2, high, high2);
            TLanes weight3 = TLanes.Broadcast(weights3[p]);
            low3 = TLanes.FusedMultiplyAdd(weight3, low, low3);
            high3 = TLanes.FusedMultiplyAdd(weight3, high, high3);
        }

        TLanes.Store(low0, target);
        TLanes.Store(low1, target1);
        TLanes.Store(low2, target2);
        TLanes.Store(low3, target3);
        TLanes.Store(high0, target + FloatDot.Lanes);
        TLanes.Store(high1, target1 + FloatDot.Lanes);
        TLanes.Store(high2, target2 + FloatDot.Lanes);
        TLanes.Store(high3, target3 + FloatDot.Lanes);
    }

    /// <summary>Row <paramref name="p"/> as floats: where it lies, or widened into <paramref name="scratch"/>.</summary>
    private static float* Row(in CacheRows rows, int p, float* scratch)
    {
        byte* row = rows.Data.Pointer + (p * rows.RowBytes);
        if (rows.Type == ElementType.F32)
            return (float*)row;
        DequantizeKernel.Scalar(rows.Type, row, scratch, rows.Columns);
        return scratch;
    }
}
