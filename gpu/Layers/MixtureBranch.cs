using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>
/// A mixture of experts on a device (DeepSeekMoE, arXiv:2401.06066, section 3). The router's choice stays there: each of gate, up and down is
/// one launch for all pairs of a row and an expert, and a row's experts are summed in the order of their rank, the shared expert last.
/// </summary>
internal sealed class MixtureBranch : GpuBranch
{
    private readonly MixtureScratch _scratch;
    private readonly DeviceLinear _router;
    private readonly ArrayView<float> _selectionBias;
    private readonly DeviceLinear _gate;
    private readonly DeviceLinear _up;
    private readonly DeviceLinear _down;
    private readonly GatedNetwork? _shared;
    private readonly DeviceLinear? _sharedGate;
    private readonly GateActivation _activation;

    internal MixtureBranch(GpuDevice device, Branch branch, MixtureOfExperts mixture, MixtureScratch scratch)
        : base(device, branch)
    {
        MixtureOfExperts.Weights weights = mixture.LayerWeights;
        _scratch = scratch;
        _router = new DeviceLinear(device, weights.Router);
        _selectionBias = device.Upload(weights.SelectionBias);
        _gate = new DeviceLinear(device, weights.Gate);
        _up = new DeviceLinear(device, weights.Up);
        _down = new DeviceLinear(device, weights.Down);
        _shared = weights.Shared is null ? null : new GatedNetwork(device, weights.Shared, scratch.Shared!);
        _sharedGate = weights.SharedGate is null ? null : new DeviceLinear(device, weights.SharedGate);
        _activation = weights.Activation;
    }

    private protected override bool ReadsQ8 => _router.ReadsQ8 | _gate.ReadsQ8 | _up.ReadsQ8 | (_shared?.ReadsQ8 ?? false);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _router.Dispose();
        _gate.Dispose();
        _up.Dispose();
        _down.Dispose();
        _shared?.Dispose();
        _sharedGate?.Dispose();
    }

    private protected override void Forward(Step step)
    {
        DeviceInput x = Gpu.Normed;
        Routing routing = _scratch.Routing;
        int embedding = Gpu.Model.Embedding;
        int pairs = step.Rows * routing.Shape.Used;

        _router.Run(x, step.Rows, _scratch.Logits, _router.Outputs);
        routing.Choose(_scratch.Logits, _router.Outputs, _selectionBias, step.Rows);
        _gate.RunGrouped(x, routing.RowOfSlot, routing.ExpertOfSlot, pairs, _scratch.Hidden.Gated.Values, _gate.Outputs, routing.FirstSlotOfExpert);
        _up.RunGrouped(x, routing.RowOfSlot, routing.ExpertOfSlot, pairs, _scratch.Hidden.Raised, _up.Outputs, routing.FirstSlotOfExpert);
        _scratch.Hidden.PassGate(Gpu.Elementwise, _activation, pairs, _down.ReadsQ8);
        _down.RunGrouped(_scratch.Hidden.Gated, default, routing.ExpertOfSlot, pairs, _scratch.Outputs, embedding, routing.FirstSlotOfExpert);

        _shared?.Run(x, step.Rows, _scratch.SharedOutputs, embedding);
        _sharedGate?.Run(x, step.Rows, _scratch.SharedLogits, 1);
        Gpu.Elementwise.Combine(
            routing,
            _scratch.Outputs,
            embedding,
            _shared is null ? default : _scratch.SharedOutputs,
            embedding,
            _sharedGate is null ? default : _scratch.SharedLogits,
            1,
            Gpu.Result,
            embedding,
            step.Rows,
            embedding);
    }
}

/// <summary>Buffers that all layers share.</summary>
internal sealed class MixtureScratch : IDisposable
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _logits;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _outputs;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _sharedOutputs;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _sharedLogits;

    internal MixtureScratch(GpuQueue queue, int rows, int embedding, MixtureOfExperts mixture)
    {
        MixtureOfExperts.Weights weights = mixture.LayerWeights;
        int pairs = rows * mixture.Shape.Used;
        Routing = new Routing(queue, mixture.Shape, rows);
        Hidden = new GatedScratch(queue, pairs, weights.Gate[0].Outputs);
        Shared = weights.Shared is { } shared ? new GatedScratch(queue, rows, shared.Gate.Outputs) : null;
        _logits = queue.Allocate<float>((long)rows * mixture.Shape.Experts);
        _outputs = queue.Allocate<float>((long)pairs * embedding);
        _sharedOutputs = queue.Allocate<float>(weights.Shared is null ? 0 : (long)rows * embedding);
        _sharedLogits = queue.Allocate<float>(rows);
    }

    /// <summary>Bytes that they take on the device.</summary>
    internal static long Bytes(long rows, int embedding, MixtureOfExperts mixture)
    {
        MixtureOfExperts.Weights weights = mixture.LayerWeights;
        long pairs = rows * mixture.Shape.Used;
        return Routing.Bytes(mixture.Shape, rows)
            + GatedScratch.Bytes(pairs, weights.Gate[0].Outputs)
            + (weights.Shared is { } shared ? GatedScratch.Bytes(rows, shared.Gate.Outputs) + (rows * embedding * sizeof(float)) : 0)
            + (((rows * mixture.Shape.Experts) + (pairs * embedding) + rows) * sizeof(float));
    }

    /// <summary>Which experts the rows chose.</summary>
    internal Routing Routing { get; }

    /// <summary><c>[pairs, hidden]</c>.</summary>
    internal GatedScratch Hidden { get; }

    /// <summary><c>[rows, hidden]</c> of the shared experts; null where there are none.</summary>
    internal GatedScratch? Shared { get; }

    /// <summary><c>[rows, experts]</c>.</summary>
    internal ArrayView<float> Logits => _logits.View;

    /// <summary><c>[pairs, embedding]</c>.</summary>
    internal ArrayView<float> Outputs => _outputs.View;

    /// <summary><c>[rows, embedding]</c>.</summary>
    internal ArrayView<float> SharedOutputs => _sharedOutputs.View;

    /// <summary><c>[rows]</c>.</summary>
    internal ArrayView<float> SharedLogits => _sharedLogits.View;

    /// <inheritdoc/>
    public void Dispose()
    {
        Routing.Dispose();
        Hidden.Dispose();
        Shared?.Dispose();
        _logits.Dispose();
        _outputs.Dispose();
        _sharedOutputs.Dispose();
        _sharedLogits.Dispose();
    }
}
