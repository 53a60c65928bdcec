using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Engine.Reference;

/// <summary>down·(activation(gate·x) ⊙ up·x) (Shazeer 2020, arXiv:2002.05202, equation 6).</summary>
internal static class Gating
{
    // Of gpt-oss's published code.
    private const double ClampLimit = 7;
    private const double ClampSlope = 1.702;

    internal static Matrix Of(GatedFeedForward network, Matrix x) => Of(network.Activation, network.Gate, network.Up, network.Down, x);

    internal static Matrix Of(GateActivation activation, Linear gate, Linear up, Linear down, Matrix x)
    {
        Matrix gated = Product.Of(gate, x);
        Matrix raised = Product.Of(up, x);
        for (int row = 0; row < x.Rows; row++)
        {
            for (int column = 0; column < gated.Columns; column++)
                gated[row][column] = Unit(activation, gated[row][column], raised[row][column]);
        }

        return Product.Of(down, gated);
    }

    internal static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Unit(GateActivation activation, double gate, double up) => activation switch
    {
        GateActivation.Silu => gate * Sigmoid(gate) * up,
        GateActivation.Gelu => Gelu(gate) * up,
        GateActivation.ClampedSilu => Clamped(Math.Min(gate, ClampLimit), Math.Clamp(up, -ClampLimit, ClampLimit)),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "The reference lacks this activation."),
    };

    /// <summary>The tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2).</summary>
    private static double Gelu(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));

    private static double Clamped(double gate, double up) => gate * Sigmoid(ClampSlope * gate) * (up + 1);
}
