using Pure.Engine.Models;

namespace Pure.Engine.Layers;

/// <summary>One forward pass, as the layers see it.</summary>
/// <param name="Batch">The rows.</param>
/// <param name="Layer">The layer that is being computed.</param>
internal readonly record struct Step(Batch Batch, int Layer)
{
    internal int Rows => Batch.Count;
}
