using Pure.Engine.Kernels.Emit;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>The kernels' vector bodies at one width.</summary>
/// <typeparam name="TLanes">Sixteen floats.</typeparam>
/// <typeparam name="TRows">Packed rows.</typeparam>
/// <param name="isa">The cluster.</param>
/// <param name="emits">Whether products with packed weights run as emitted machine code.</param>
internal sealed unsafe class VectorKernels<TLanes, TRows>(Isa isa, bool emits) : KernelSet
    where TLanes : struct, ILanes<TLanes>
    where TRows : struct, IRowLanes<TRows>
{
    internal override Isa Isa => isa;

    internal override bool ReadsPacked => true;

    internal override bool Emits => emits;

    internal override bool ReadsAsStored(ElementType type, int columns) => emits && EmittedAttention.Reads(type, columns);

    protected override void RmsNorm(float* x, float* weight, int count, float epsilon, float* y) =>
        RmsNormKernel.Vector<TLanes>(x, weight, count, epsilon, y);

    protected override void Rotate(float* x, float* cos, float* sin, int pairs, bool adjacent) =>
        RotateKernel.Vector<TLanes>(x, cos, sin, pairs, adjacent);

    protected override void Quantize(float* x, int columns, sbyte* quants, float* scales, int* sums) =>
        QuantizeKernel.Vector(x, columns, quants, scales, sums);

    protected override void MatMulFloat(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride) =>
        MatMulFloatKernel.Vector<TLanes>(weights, rowBegin, rowEnd, x, inputs, y, yStride);

    protected override void MatMulTransposed(TransposedMatrix weights, in Activations x, float* y, int yStride) =>
        MatMulTransposedKernel.Vector<TLanes>(weights, x, y, yStride);

    protected override void MatMulQ8(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride) =>
        MatMulQ8Kernel.Vector(weights, rowBegin, rowEnd, x, inputs, y, yStride);

    protected override void MatMulPacked(
        PackedMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride) =>
        PackedMatMul<TRows>.Run(weights, rowBegin, rowEnd, x, inputs, y, yStride, emits);

    protected override void Dequantize(ElementType type, byte* row, float* y, int columns) =>
        DequantizeKernel.Vector<TLanes>(type, row, y, columns);

    protected override void SwiGlu(float* gate, float* up, float* output, int count) =>
        ElementwiseKernels.SwiGlu<TLanes>(gate, up, output, count);

    protected override void GeGlu(float* gate, float* up, float* output, int count) =>
        ElementwiseKernels.GeGlu<TLanes>(gate, up, output, count);

    protected override void ClampedSwiGlu(float* gate, float* up, float* output, int count) =>
        ElementwiseKernels.ClampedSwiGlu<TLanes>(gate, up, output, count);

    protected override void Add(float* y, float* x, int count) => ElementwiseKernels.Add<TLanes>(y, x, count);

    protected override void AddScaled(float* y, float scale, float* x, int count) =>
        ElementwiseKernels.AddScaled<TLanes>(y, scale, x, count);

    protected override void Scores(float* q, in CacheRows keys, float scale, float* scores) =>
        AttentionKernels.Scores<TLanes>(q, keys, scale, scores);

    protected override void Scores(in Activations queries, in CacheRows keys, float scale, float* scores, int scoreStride)
    {
        if (ReadsAsStored(keys.Type, keys.Columns))
        {
            for (int query = 0, together; query < queries.Rows; query += together)
            {
                together = Together(queries.Rows - query);
                float* q = queries.Values + ((long)query * queries.Stride);
                float* target = scores + ((long)query * scoreStride);
                int done = EmittedAttention.Scores(together, q, queries.Stride, keys, scale, target, scoreStride);
                for (int i = 0; done < keys.Count && i < together; i++)
                    Scores(q + ((long)i * queries.Stride), keys.From(done), scale, target + ((long)i * scoreStride) + done);
            }
        }
        else if (keys.Type == ElementType.F32 && keys.Count > 0)
        {
            MatMulFloatKernel.Vector<TLanes>(
                new WeightMatrix(keys.Type, keys.Data, keys.RowBytes, keys.Count, keys.Columns),
                0,
                keys.Count,
                queries,
                new InputRows(null, queries.Rows),
                scores,
                scoreStride);
            for (int query = 0; query < queries.Rows; query++)
                Multiply(scores + ((long)query * scoreStride), scale, keys.Count);
        }
        else
        {
            base.Scores(queries, keys, scale, scores, scoreStride);
        }
    }

    protected override (float Max, float Sum) ExpOfScores(float* scores, int count) =>
        AttentionKernels.ExpOfScores<TLanes>(scores, count);

    protected override void AddWeighted(float* weights, in CacheRows values, float* accumulator) =>
        AttentionKernels.AddWeighted<TLanes>(weights, values, accumulator);

    protected override void AddWeighted(float* weights, int weightStride, int queries, in CacheRows values, float* accumulators)
    {
        int query = 0;
        if (ReadsAsStored(values.Type, values.Columns) && values.Count > 0)
        {
            for (int together; query < queries; query += together)
            {
                together = Together(queries - query);
                float* first = weights + ((long)query * weightStride);
                if (!EmittedAttention.AddWeighted(
                    together, first, weightStride, values, accumulators + ((long)query * values.Columns), values.Columns))
                {
                    break;
                }
            }
        }

        for (; values.Type == ElementType.F32 && query <= queries - 4; query += 4)
        {
            AttentionKernels.AddWeighted4<TLanes>(
                weights + ((long)query * weightStride), weightStride, values, accumulators + ((long)query * values.Columns));
        }

        base.AddWeighted(
            weights + ((long)query * weightStride), weightStride, queries - query, values, accumulators + ((long)query * values.Columns));
    }

    /// <summary>How many of the queries left an emitted kernel takes.</summary>
    private static int Together(int left) => left switch
    {
        1 => 1,
        2 or 3 => 2,
        _ => 4,
    };

    protected override void MergeScaled(float* left, float leftScale, float* right, float rightScale, int count) =>
        ElementwiseKernels.MergeScaled<TLanes>(left, leftScale, right, rightScale, count);

    protected override void Multiply(float* y, float factor, int count) => ElementwiseKernels.Multiply<TLanes>(y, factor, count);

    protected override void Divide(float* y, float divisor, int count) => ElementwiseKernels.Divide<TLanes>(y, divisor, count);

    protected override bool AllFinite(float* x, int count) => ElementwiseKernels.AllFinite<TLanes>(x, count);
}
