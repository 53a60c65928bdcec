using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>A gated feed-forward network on a device.</summary>
internal sealed class GatedBranch : GpuBranch
{
    private readonly GatedNetwork _network;

    internal GatedBranch(GpuDevice device, Branch branch, GatedFeedForward network, GatedScratch scratch)
        : base(device, branch) => _network = new GatedNetwork(device, network, scratch);

    private protected override bool ReadsQ8 => _network.ReadsQ8;

    /// <inheritdoc/>
    public override void Dispose() => _network.Dispose();

    private protected override void Forward(Step step) => _network.Run(Gpu.Normed, step.Rows, Gpu.Result, Gpu.Model.Embedding);
}

/// <summary>down·(activation(gate·x) ⊙ up·x): a layer's own, or the shared experts of a mixture.</summary>
internal sealed class GatedNetwork(GpuDevice device, GatedFeedForward network, GatedScratch scratch) : IDisposable
{
    private readonly DeviceLinear _gate = new(device, network.Gate);
    private readonly DeviceLinear _up = new(device, network.Up);
    private readonly DeviceLinear _down = new(device, network.Down);
    private readonly GateActivation _activation = network.Activation;

    internal bool ReadsQ8 => _gate.ReadsQ8 | _up.ReadsQ8;

    /// <summary>y = down·(activation(gate·x) ⊙ up·x) for the first rows.</summary>
    internal void Run(DeviceInput x, int rows, ArrayView<float> y, int yStride)
    {
        _gate.Run(x, rows, scratch.Gated.Values, scratch.Hidden);
        _up.Run(x, rows, scratch.Raised, scratch.Hidden);
        scratch.PassGate(device.Elementwise, _activation, rows, _down.ReadsQ8);
        _down.Run(scratch.Gated, rows, y, yStride);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _gate.Dispose();
        _up.Dispose();
        _down.Dispose();
    }
}

/// <summary>Buffers that all layers share.</summary>
internal sealed class GatedScratch(GpuQueue queue, int rows, int hidden) : IDisposable
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _raised = queue.Allocate<float>((long)rows * hidden);

    /// <summary>Bytes that they take on the device.</summary>
    internal static long Bytes(long rows, int hidden) => (rows * hidden * sizeof(float)) + DeviceInput.Bytes(rows, hidden);

    /// <summary>Hidden columns.</summary>
    internal int Hidden => hidden;

    /// <summary><c>[rows, hidden]</c>.</summary>
    internal DeviceInput Gated { get; } = new(queue, rows, hidden);

    /// <summary><c>[rows, hidden]</c>.</summary>
    internal ArrayView<float> Raised => _raised.View;

    /// <summary>Gated = activation(Gated) ⊙ Raised, with its 8-bit form where asked.</summary>
    internal void PassGate(Elementwise elementwise, GateActivation activation, int rows, bool quantize)
    {
        if (quantize)
            elementwise.GateQuantized(activation, Gated.Values, hidden, Raised, hidden, Gated, rows);
        else
            elementwise.Gate(activation, Gated.Values, hidden, Raised, hidden, Gated.Values, hidden, rows, hidden);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _raised.Dispose();
        Gated.Dispose();
    }
}
