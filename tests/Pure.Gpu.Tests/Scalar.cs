using Pure.Engine.Kernels;

namespace Pure.Gpu.Tests;

/// <summary>The engine's definitions.</summary>
internal static class Scalar
{
    internal static KernelSet Kernels { get; } = KernelSet.Select(Isa.Scalar);
}
