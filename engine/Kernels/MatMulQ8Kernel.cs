using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>
/// Quantised weights × 8-bit activations: y[i, r] = weight row r · input row i. The dot product of two rows is defined by the
/// element type (<see cref="IQuantizedFormat.Dot"/>).
/// </summary>
internal static unsafe class MatMulQ8Kernel
{
    /// <summary>The definition: one dot product after the other.</summary>
    internal static void Scalar(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
    {
        switch (weights.Type)
        {
            case ElementType.Q8_0: Scalar<Q8_0>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q4_0: Scalar<Q4_0>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q4_K: Scalar<Q4_K>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            case ElementType.Q6_K: Scalar<Q6_K>(weights, rowBegin, rowEnd, x, inputs, y, yStride); break;
            default: throw new ArgumentOutOfRangeException(nameof(weights), weights.Type, "There is no kernel for this element type.");
        }
    }

    private static void Scalar<TFormat>(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
        where TFormat : IQuantizedFormat
    {
        for (int row = rowBegin; row < rowEnd; row++)
        {
            byte* weightRow = weights.Data.Pointer + (row * weights.RowBytes);
            for (int i = 0; i < inputs.Count; i++)
            {
                long start = (long)inputs[i] * x.Stride;
                long block = start / Activations.BlockSize;
                y[((long)i * yStride) + row] =
                    TFormat.Dot(weightRow, x.Quants + start, x.Scales + block, x.Sums + block, weights.Columns);
            }
        }
    }
}
