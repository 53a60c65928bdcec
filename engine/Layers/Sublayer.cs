using Pure.Engine.Kernels;

namespace Pure.Engine.Layers;

/// <summary>What stands inside a residual branch: attention, or a feed-forward network.</summary>
internal abstract class Sublayer
{
    /// <summary>Whether the input's 8-bit form must have been made.</summary>
    internal abstract bool ReadsQ8 { get; }

    /// <param name="step">The batch and the layer.</param>
    /// <param name="x">Normalised input <c>[rows, embedding]</c>.</param>
    /// <param name="y">Output <c>[rows, embedding]</c>.</param>
    internal abstract void Forward(Step step, in Activations x, in Activations y);
}
