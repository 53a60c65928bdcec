using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>The definitions, in plain C#: the oracle of every other cluster, and what a processor without them runs.</summary>
internal sealed unsafe class ScalarKernels : KernelSet
{
    internal override Isa Isa => Isa.Scalar;

    protected override void RmsNorm(float* x, float* weight, int count, float epsilon, float* y) =>
        RmsNormKernel.Scalar(x, weight, count, epsilon, y);

    protected override void Rotate(float* x, float* cos, float* sin, int pairs, bool adjacent) =>
        RotateKernel.Scalar(x, cos, sin, pairs, adjacent);

    protected override void Quantize(float* x, int columns, sbyte* quants, float* scales, int* sums) =>
        Q8Activations.Quantize(x, columns, quants, scales, sums);

    protected override void MatMulFloat(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride) =>
        MatMulFloatKernel.Scalar(weights, rowBegin, rowEnd, x, inputs, y, yStride);

    protected override void MatMulTransposed(TransposedMatrix weights, in Activations x, float* y, int yStride) =>
        MatMulTransposedKernel.Scalar(weights, x, y, yStride);

    protected override void MatMulQ8(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride) =>
        MatMulQ8Kernel.Scalar(weights, rowBegin, rowEnd, x, inputs, y, yStride);

    protected override void Dequantize(ElementType type, byte* row, float* y, int columns) =>
        DequantizeKernel.Scalar(type, row, y, columns);

    protected override void SwiGlu(float* gate, float* up, float* output, int count) =>
        ElementwiseKernels.SwiGlu(gate, up, output, 0, count);

    protected override void GeGlu(float* gate, float* up, float* output, int count) =>
        ElementwiseKernels.GeGlu(gate, up, output, 0, count);

    protected override void ClampedSwiGlu(float* gate, float* up, float* output, int count) =>
        ElementwiseKernels.ClampedSwiGlu(gate, up, output, 0, count);

    protected override void Add(float* y, float* x, int count) => ElementwiseKernels.Add(y, x, 0, count);

    protected override void AddScaled(float* y, float scale, float* x, int count) =>
        ElementwiseKernels.AddScaled(y, scale, x, 0, count);

    protected override void Scores(float* q, in CacheRows keys, float scale, float* scores) =>
        AttentionKernels.ScoresScalar(q, keys, scale, scores, Scratch.Floats(keys.Columns));

    protected override (float Max, float Sum) ExpOfScores(float* scores, int count) =>
        AttentionKernels.ExpOfScoresScalar(scores, count);

    protected override void AddWeighted(float* weights, in CacheRows values, float* accumulator) =>
        AttentionKernels.AddWeightedScalar(weights, values, accumulator, Scratch.Floats(values.Columns));

    protected override void MergeScaled(float* left, float leftScale, float* right, float rightScale, int count) =>
        ElementwiseKernels.MergeScaled(left, leftScale, right, rightScale, 0, count);

    protected override void Multiply(float* y, float factor, int count) => ElementwiseKernels.Multiply(y, factor, 0, count);

    protected override void Divide(float* y, float divisor, int count) => ElementwiseKernels.Divide(y, divisor, 0, count);

    protected override bool AllFinite(float* x, int count) => ElementwiseKernels.AllFinite(x, 0, count);
}
