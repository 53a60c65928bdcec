using Pure.Engine.Kernels;
using Pure.Engine.Models;
using Pure.Engine.Quantization;

namespace Pure.Bench.Micro;

/// <summary>One matrix product: how the weights are stored, on which instruction set, with which activations, for how many rows.</summary>
public sealed record MatMulCase(ElementType Type, Isa Isa, ActivationType Activations, int Inputs) : IWork
{
    /// <summary>Weight rows and columns: a projection of a model of about one billion parameters.</summary>
    public const int Rows = 2048;

    /// <inheritdoc cref="Rows"/>
    public const int Columns = 2048;

    private static readonly int[] InputCounts = [1, 16];

    /// <summary>Every product that this processor can compute.</summary>
    public static IEnumerable<MatMulCase> All =>
        from type in Enum.GetValues<ElementType>()
        from isa in KernelSet.Supported
        from activations in ElementFormat.Of(type).IsQuantized ? Enum.GetValues<ActivationType>() : [ActivationType.F32]
        from inputs in InputCounts
        select new MatMulCase(type, isa, activations, inputs);

    /// <inheritdoc/>
    public Work Work => new(2.0 * Rows * Columns * Inputs, Rows * (double)ElementFormat.Of(Type).RowBytes(Columns));

    /// <inheritdoc/>
    public override string ToString() => $"{Type} {KernelSet.Name(Isa)} {Activations} x{Inputs}".ToLowerInvariant();
}
