using Pure.Engine.Kernels;
using Pure.Engine.Models;

namespace Pure.Engine.Layers;

/// <summary>One layer of a forward pass, as its parts see it.</summary>
/// <param name="Batch">The rows.</param>
/// <param name="Layer">The layer that is being computed.</param>
/// <param name="Trace">Where intermediates are written down; null for nowhere.</param>
internal readonly record struct Step(Batch Batch, int Layer, Trace? Trace = null)
{
    internal int Rows => Batch.Count;

    /// <summary>Writes an intermediate down, by its name in <see cref="TraceName"/>, where the pass is traced.</summary>
    internal void Record(string name, in Activations rows) => Trace?.Add(TraceName.InLayer(Layer, name), rows);
}
