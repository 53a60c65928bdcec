using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Quantization;

namespace Pure.Engine.Reference;

/// <summary>
/// Products with stored weights. A weight is the float32 that its element type's scalar <c>Dequantize</c> gives, widened; sums run
/// over the columns in order.
/// </summary>
internal static class Product
{
    /// <summary>W·x + b for every row of <paramref name="x"/>.</summary>
    internal static Matrix Of(Linear linear, Matrix x)
    {
        var y = new Matrix(x.Rows, linear.Outputs);
        var weights = new float[linear.Inputs];
        for (int output = 0; output < linear.Outputs; output++)
        {
            Row(linear, output, weights);
            double bias = linear.Bias.IsEmpty ? 0 : linear.Bias[output];
            for (int row = 0; row < x.Rows; row++)
                y[row][output] = Dot(weights, x[row]) + bias;
        }

        return y;
    }

    /// <summary>Wᵀ·x for every row of <paramref name="x"/>; without the bias, which has no place there.</summary>
    internal static Matrix OfTransposed(Linear linear, Matrix x)
    {
        var y = new Matrix(x.Rows, linear.Inputs);
        var weights = new float[linear.Inputs];
        for (int output = 0; output < linear.Outputs; output++)
        {
            Row(linear, output, weights);
            for (int row = 0; row < x.Rows; row++)
            {
                for (int column = 0; column < weights.Length; column++)
                    y[row][column] += weights[column] * x[row][output];
            }
        }

        return y;
    }

    /// <summary>Row <paramref name="row"/> of W, in the order of the inputs.</summary>
    internal static void Row(Linear linear, int row, Span<float> weights)
    {
        if (linear.Transposed is { } transposed)
        {
            transposed.Row(row, weights);
            return;
        }

        WeightMatrix matrix = linear.Weights;
        ElementFormat.Of(matrix.Type).Dequantize(matrix.Data.Slice(row * matrix.RowBytes, matrix.RowBytes), weights);
        if (linear.Order is not { } order)
            return;
        float[] stored = weights.ToArray();
        for (int column = 0; column < stored.Length; column++)
            weights[order.InputOf[column]] = stored[column];
    }

    private static double Dot(ReadOnlySpan<float> weights, ReadOnlySpan<double> x)
    {
        double sum = 0;
        for (int column = 0; column < weights.Length; column++)
            sum += weights[column] * x[column];
        return sum;
    }
}
