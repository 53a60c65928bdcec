using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>
/// A mixture whose shared experts are on a device and whose routed experts are in memory: the processor computes these of the normalised hidden
/// state, which is read back, while the device computes those. The sum is the device's, the shared experts last.
/// </summary>
internal sealed class SplitMixtureBranch : GpuBranch
{
    private readonly MixtureOfExperts _routed;
    private readonly SharedExperts _shared;
    private readonly SplitScratch _scratch;

    internal SplitMixtureBranch(GpuDevice device, Branch branch, MixtureOfExperts mixture, SplitScratch scratch)
        : base(device, branch)
    {
        _routed = mixture.WithoutShared();
        _shared = new SharedExperts(device, mixture.LayerWeights, scratch.Shared);
        _scratch = scratch;
    }

    private protected override bool ReadsQ8 => _shared.ReadsQ8;

    /// <inheritdoc/>
    public override void Dispose() => _shared.Dispose();

    private protected override void Forward(Step step)
    {
        Activations x = _scratch.Normed.Rows(step.Rows);
        Activations routed = _scratch.Routed.Rows(step.Rows);
        Gpu.Queue.ReadBack(Gpu.Normed.Values, x.All);
        _shared.Run(Gpu.Normed, step.Rows);
        _routed.Quantize(x);
        _routed.Forward(step, x, routed);
        Gpu.Queue.Upload<float>(routed.All, Gpu.Result);
        _shared.Combine(_scratch.Rows, Gpu.Result, step.Rows);
    }
}

/// <summary>Buffers that all layers share: here, and in memory.</summary>
internal sealed class SplitScratch : IDisposable
{
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _slots;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _weights;

    internal SplitScratch(GpuQueue queue, int rows, int embedding, SharedScratch shared)
    {
        Shared = shared;
        Normed = new ActivationBuffer(rows, embedding);
        Routed = new ActivationBuffer(rows, embedding);
        _slots = queue.Allocate<int>(rows);
        _weights = queue.Allocate<float>(rows);
        queue.Upload<int>([.. Enumerable.Range(0, rows)], _slots.View);
        queue.Upload<float>([.. Enumerable.Repeat(1f, rows)], _weights.View);
    }

    /// <summary>Bytes that they take on the device.</summary>
    internal static long Bytes(long rows) => rows * (sizeof(int) + sizeof(float));

    /// <summary>Of the shared experts.</summary>
    internal SharedScratch Shared { get; }

    /// <summary>What the processor reads <c>[rows, embedding]</c>.</summary>
    internal ActivationBuffer Normed { get; }

    /// <summary>What the processor makes <c>[rows, embedding]</c>.</summary>
    internal ActivationBuffer Routed { get; }

    /// <summary>A row's routed experts, which are summed already, as the one that it uses.</summary>
    internal WeighedPairs Rows => new(_slots.View, _weights.View, 1);

    /// <inheritdoc/>
    public void Dispose()
    {
        Normed.Dispose();
        Routed.Dispose();
        _slots.Dispose();
        _weights.Dispose();
    }
}
