using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>Weights × float activations: y[i, r] = weight row r · input row i.</summary>
internal static unsafe class MatMulFloatKernel
{
    /// <summary>The definition: a weight row as floats (every rounding apart), then <see cref="FloatDot"/> with each input row.</summary>
    internal static void Scalar(
        in WeightMatrix weights, int rowBegin, int rowEnd, in Activations x, InputRows inputs, float* y, int yStride)
    {
        float* scratch = Scratch.Floats(weights.Columns);
        for (int row = rowBegin; row < rowEnd; row++)
        {
            DequantizeKernel.Scalar(weights.Type, weights.Data.Pointer + (row * weights.RowBytes), scratch, weights.Columns);
            for (int i = 0; i < inputs.Count; i++)
                y[((long)i * yStride) + row] = FloatDot.Scalar(scratch, x.Values + ((long)inputs[i] * x.Stride), weights.Columns);
        }
    }
}
