using ILGPU;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>
/// Routed experts on a device: all of a layer, or as many as have places there, which <see cref="Put"/> fills. Each of gate, up and down is one
/// launch for all pairs of a row and an expert.
/// </summary>
internal sealed class ExpertNetworks : IDisposable
{
    private readonly GpuDevice _device;
    private readonly DeviceLinear _gate;
    private readonly DeviceLinear _up;
    private readonly DeviceLinear _down;
    private readonly GateActivation _activation;

    /// <summary>All experts of a layer.</summary>
    internal ExpertNetworks(GpuDevice device, MixtureOfExperts.Weights weights)
    {
        _device = device;
        _gate = new DeviceLinear(device, weights.Gate);
        _up = new DeviceLinear(device, weights.Up);
        _down = new DeviceLinear(device, weights.Down);
        _activation = weights.Activation;
    }

    /// <summary>Room for experts like those of a layer.</summary>
    /// <param name="device">Where.</param>
    /// <param name="like">Weights of the types and shapes of all.</param>
    /// <param name="places">Experts that have room at once.</param>
    internal ExpertNetworks(GpuDevice device, MixtureOfExperts.Weights like, int places)
    {
        _device = device;
        _gate = DeviceLinear.Reserve(device, like.Gate[0], places);
        _up = DeviceLinear.Reserve(device, like.Up[0], places);
        _down = DeviceLinear.Reserve(device, like.Down[0], places);
        _activation = like.Activation;
    }

    internal bool ReadsQ8 => _gate.ReadsQ8 | _up.ReadsQ8;

    /// <summary>Bytes that an expert takes on the device.</summary>
    internal static long BytesOfExpert(MixtureOfExperts.Weights weights) =>
        DeviceLinear.Bytes(weights.Gate[0]) + DeviceLinear.Bytes(weights.Up[0]) + DeviceLinear.Bytes(weights.Down[0]);

    /// <summary>Brings an expert to a place.</summary>
    /// <param name="copies">Where its copies line up.</param>
    /// <param name="place">Its place.</param>
    /// <param name="weights">Its layer's.</param>
    /// <param name="expert">Its number there.</param>
    internal void Put(GpuQueue copies, int place, MixtureOfExperts.Weights weights, int expert)
    {
        _gate.Replace(copies, place, weights.Gate[expert]);
        _up.Replace(copies, place, weights.Up[expert]);
        _down.Replace(copies, place, weights.Down[expert]);
    }

    /// <summary>down·(activation(gate·x) ⊙ up·x) of each slot's expert and row.</summary>
    /// <param name="x">Rows of activations.</param>
    /// <param name="rowOfSlot">The row of each slot.</param>
    /// <param name="placeOfSlot">The expert of each slot, or its place.</param>
    /// <param name="slots">How many.</param>
    /// <param name="hidden">Room for <c>[slots, hidden]</c>.</param>
    /// <param name="outputs"><c>[slots, embedding]</c>.</param>
    /// <param name="firstSlotOfExpert">Where slots are sorted by <paramref name="placeOfSlot"/>, the first of each; otherwise empty.</param>
    internal void Run(
        DeviceInput x,
        ArrayView<int> rowOfSlot,
        ArrayView<int> placeOfSlot,
        int slots,
        GatedScratch hidden,
        ArrayView<float> outputs,
        ArrayView<int> firstSlotOfExpert = default)
    {
        _gate.RunGrouped(x, rowOfSlot, placeOfSlot, slots, hidden.Gated.Values, _gate.Outputs, firstSlotOfExpert);
        _up.RunGrouped(x, rowOfSlot, placeOfSlot, slots, hidden.Raised, _up.Outputs, firstSlotOfExpert);
        hidden.PassGate(_device.Elementwise, _activation, slots, _down.ReadsQ8);
        _down.RunGrouped(hidden.Gated, default, placeOfSlot, slots, outputs, _down.Outputs, firstSlotOfExpert);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _gate.Dispose();
        _up.Dispose();
        _down.Dispose();
    }
}
