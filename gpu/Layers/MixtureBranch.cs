using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Devices;
using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>
/// A mixture of experts on a device (DeepSeekMoE, arXiv:2401.06066, section 3). The router's choice stays there, and a row's experts are summed in
/// the order of their rank, the shared expert last.
/// </summary>
internal abstract class MixtureBranch : GpuBranch
{
    private readonly DeviceLinear _router;
    private readonly ArrayView<float> _selectionBias;

    private protected MixtureBranch(GpuDevice device, Branch branch, MixtureOfExperts mixture, MixtureScratch scratch)
        : base(device, branch)
    {
        Scratch = scratch;
        _router = new DeviceLinear(device, mixture.LayerWeights.Router);
        _selectionBias = device.Upload(mixture.LayerWeights.SelectionBias);
        Shared = new SharedExperts(device, mixture.LayerWeights, scratch.Shared);
    }

    private protected override bool ReadsQ8 => _router.ReadsQ8 | ExpertsReadQ8 | Shared.ReadsQ8;

    /// <summary>Whether routed experts read the 8-bit form.</summary>
    private protected abstract bool ExpertsReadQ8 { get; }

    private protected MixtureScratch Scratch { get; }

    private protected SharedExperts Shared { get; }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _router.Dispose();
        Shared.Dispose();
    }

    private protected override void Forward(Step step)
    {
        Route(Gpu.Normed, step.Rows, Scratch.Routing);
        Compute(Gpu.Normed, step.Rows);
        Shared.Combine(Scratch.Routing.Pairs, Scratch.Outputs, step.Rows);
    }

    /// <summary>Chooses the experts of the first rows.</summary>
    private protected void Route(DeviceInput x, int rows, Routing routing)
    {
        _router.Run(x, rows, Scratch.Logits, _router.Outputs);
        routing.Choose(Scratch.Logits, _router.Outputs, _selectionBias, rows);
    }

    /// <summary>Computes shared and routed experts, these into <see cref="MixtureScratch.Outputs"/>.</summary>
    private protected abstract void Compute(DeviceInput x, int rows);
}

/// <summary>A mixture on a device with all its experts.</summary>
internal sealed class ResidentMixtureBranch : MixtureBranch
{
    private readonly ExpertNetworks _experts;

    internal ResidentMixtureBranch(GpuDevice device, Branch branch, MixtureOfExperts mixture, MixtureScratch scratch)
        : base(device, branch, mixture, scratch) => _experts = new ExpertNetworks(device, mixture.LayerWeights);

    private protected override bool ExpertsReadQ8 => _experts.ReadsQ8;

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _experts.Dispose();
    }

    private protected override void Compute(DeviceInput x, int rows)
    {
        Routing routing = Scratch.Routing;
        int pairs = rows * routing.Shape.Used;
        _experts.Run(x, routing.RowOfSlot, routing.ExpertOfSlot, pairs, Scratch.Hidden, Scratch.Outputs, routing.FirstSlotOfExpert);
        Shared.Run(x, rows);
    }
}

/// <summary>Buffers that all layers share.</summary>
internal sealed class MixtureScratch : IDisposable
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _logits;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _outputs;

    /// <param name="queue">The device.</param>
    /// <param name="rows">Most rows of a batch.</param>
    /// <param name="embedding">Columns of the hidden state.</param>
    /// <param name="mixture">One of the layers.</param>
    /// <param name="shared">Of their shared experts.</param>
    /// <param name="expertOfSlot">Where the routing writes the expert of each slot; empty for room of its own.</param>
    internal MixtureScratch(GpuQueue queue, int rows, int embedding, MixtureOfExperts mixture, SharedScratch shared, ArrayView<int> expertOfSlot)
    {
        int pairs = rows * mixture.Shape.Used;
        Routing = new Routing(queue, mixture.Shape, rows, expertOfSlot);
        Hidden = new GatedScratch(queue, pairs, mixture.LayerWeights.Gate[0].Outputs);
        Shared = shared;
        _logits = queue.Allocate<float>((long)rows * mixture.Shape.Experts);
        _outputs = queue.Allocate<float>((long)pairs * embedding);
    }

    /// <summary>Bytes that they take on the device.</summary>
    internal static long Bytes(long rows, int embedding, MixtureOfExperts mixture)
    {
        long pairs = rows * mixture.Shape.Used;
        return Routing.Bytes(mixture.Shape, rows)
            + GatedScratch.Bytes(pairs, mixture.LayerWeights.Gate[0].Outputs)
            + (((rows * mixture.Shape.Experts) + (pairs * embedding)) * sizeof(float));
    }

    /// <summary>Which experts the rows chose.</summary>
    internal Routing Routing { get; }

    /// <summary><c>[pairs, hidden]</c>.</summary>
    internal GatedScratch Hidden { get; }

    /// <summary>Of the shared experts.</summary>
    internal SharedScratch Shared { get; }

    /// <summary><c>[rows, experts]</c>.</summary>
    internal ArrayView<float> Logits => _logits.View;

    /// <summary><c>[pairs, embedding]</c>.</summary>
    internal ArrayView<float> Outputs => _outputs.View;

    /// <inheritdoc/>
    public void Dispose()
    {
        Routing.Dispose();
        Hidden.Dispose();
        _logits.Dispose();
        _outputs.Dispose();
    }
}
