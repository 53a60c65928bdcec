using Pure.Engine.Layers;

namespace Pure.Engine.Reference;

/// <summary>A mixture of gated experts with shared ones (DeepSeekMoE, arXiv:2401.06066, section 3), one token at a time.</summary>
internal static class Mixture
{
    /// <param name="mixture">Shape and weights.</param>
    /// <param name="x">Normalised input <c>[positions, embedding]</c>.</param>
    /// <param name="routerLogits">Set to the router's logits <c>[positions, experts]</c>.</param>
    /// <returns><c>[positions, embedding]</c>.</returns>
    internal static Matrix Of(MixtureOfExperts mixture, Matrix x, out Matrix routerLogits)
    {
        MixtureOfExperts.Weights weights = mixture.LayerWeights;
        routerLogits = Product.Of(weights.Router, x);
        var y = new Matrix(x.Rows, x.Columns);
        var token = new Matrix(1, x.Columns);
        for (int row = 0; row < x.Rows; row++)
        {
            x[row].CopyTo(token[0]);
            foreach ((int expert, double weight) in Routing.Choose(mixture.Shape, weights.SelectionBias, routerLogits[row]))
            {
                Matrix output = Gating.Of(weights.Activation, weights.Gate[expert], weights.Up[expert], weights.Down[expert], token);
                Add(y[row], weight, output[0]);
            }
        }

        if (weights.Shared is { } shared)
        {
            Matrix output = Gating.Of((GatedFeedForward)shared, x);
            Matrix? gate = weights.SharedGate is null ? null : Product.Of(weights.SharedGate, x);
            for (int row = 0; row < x.Rows; row++)
                Add(y[row], gate is null ? 1 : Gating.Sigmoid(gate[row][0]), output[row]);
        }

        return y;
    }

    private static void Add(Span<double> y, double weight, ReadOnlySpan<double> x)
    {
        for (int column = 0; column < y.Length; column++)
            y[column] += weight * x[column];
    }
}
