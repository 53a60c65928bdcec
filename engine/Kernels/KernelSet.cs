namespace Pure.Engine.Kernels;

/// <summary>
/// The arithmetic of one instruction-set cluster, chosen once at start-up (Select). Every method has a scalar
/// definition in the file named after it; every other cluster gives its bits. Lengths are checked here, at the kernels' door.
/// </summary>
internal abstract class KernelSet
{
    internal abstract Isa Isa { get; }

    /// <summary>y = x · (1 / √(mean(x²) + epsilon)) · weight, over one row.</summary>
    internal abstract void RmsNorm(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, float epsilon, Span<float> y);

    /// <summary>Rotates pairs of one head's rotary dimensions by the angles whose cosines and sines are given, in place.</summary>
    /// <param name="x">The rotary dimensions, <c>[2 · cos.Length]</c>.</param>
    /// <param name="cos">Cosine of each pair's angle.</param>
    /// <param name="sin">Sine of each pair's angle.</param>
    /// <param name="adjacent">Pairs are (2i, 2i+1); otherwise (i, i + half).</param>
    internal abstract void Rotate(Span<float> x, ReadOnlySpan<float> cos, ReadOnlySpan<float> sin, bool adjacent);

    /// <summary>Fills the 8-bit form of row <paramref name="row"/> from its floats.</summary>
    internal abstract void QuantizeRow(in Activations x, int row);

    /// <summary>
    /// y[i, r] = weights row r · x row inputRows[i], for r in [<paramref name="rowBegin"/>, <paramref name="rowEnd"/>), on the
    /// float form of the activations.
    /// </summary>
    /// <param name="weights"><c>[rows, columns]</c>.</param>
    /// <param name="rowBegin">First weight row.</param>
    /// <param name="rowEnd">One past the last weight row.</param>
    /// <param name="x">Activations <c>[*, columns]</c>.</param>
    /// <param name="inputRows">Which rows of x; empty means all, in order.</param>
    /// <param name="y">Output <c>[inputs, stride]</c>; element r of row i is at i · yStride + r.</param>
    /// <param name="yStride">Elements between output rows.</param>
    internal abstract void MatMulFloat(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, ReadOnlySpan<int> inputRows, Span<float> y, int yStride);

    /// <summary>As <see cref="MatMulFloat"/>, on the 8-bit form; the weights must be quantised.</summary>
    internal abstract void MatMulQ8(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, ReadOnlySpan<int> inputRows, Span<float> y, int yStride);

    /// <summary>One row of a weight matrix as floats.</summary>
    internal abstract void DequantizeRow(in WeightMatrix weights, int row, Span<float> y);

    /// <summary>out = silu(gate) · up, element by element.</summary>
    internal abstract void SwiGlu(ReadOnlySpan<float> gate, ReadOnlySpan<float> up, Span<float> output);

    /// <summary>y = y + x.</summary>
    internal abstract void Add(Span<float> y, ReadOnlySpan<float> x);

    /// <summary>y = fma(scale, x, y).</summary>
    internal abstract void AddScaled(Span<float> y, float scale, ReadOnlySpan<float> x);

    /// <summary>scores[p] = (q · keys[p]) · scale.</summary>
    internal abstract void Scores(ReadOnlySpan<float> q, in CacheRows keys, float scale, Span<float> scores);

    /// <summary>Replaces scores by exp(score − max); returns the maximum and the sum (sixteen partial sums, then the tree).</summary>
    internal abstract (float Max, float Sum) ExpOfScores(Span<float> scores);

    /// <summary>accumulator = fma(weights[p], values[p], accumulator), position by position.</summary>
    internal abstract void AddWeighted(ReadOnlySpan<float> weights, in CacheRows values, Span<float> accumulator);

    /// <summary>left = fma(left, leftScale, right · rightScale), element by element: the merge of two attention spans.</summary>
    internal abstract void MergeScaled(Span<float> left, float leftScale, ReadOnlySpan<float> right, float rightScale);

    /// <summary>y = x / divisor.</summary>
    internal abstract void Divide(Span<float> y, float divisor);

    /// <summary>Whether no element is NaN or infinite.</summary>
    internal abstract bool AllFinite(ReadOnlySpan<float> x);
}
