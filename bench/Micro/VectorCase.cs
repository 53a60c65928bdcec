using Pure.Engine.Kernels;

namespace Pure.Bench.Micro;

/// <summary>An operation over a vector on one instruction set.</summary>
public sealed record VectorCase(Isa Isa, int Length) : IWork
{
    /// <summary>The operation on every instruction set that this processor has.</summary>
    public static IEnumerable<VectorCase> Of(int length) => KernelSet.Supported.Select(isa => new VectorCase(isa, length));

    /// <inheritdoc/>
    public Work Work => new(Length, Length * sizeof(float));

    /// <inheritdoc/>
    public override string ToString() => $"{KernelSet.Name(Isa)} {Length}";
}
