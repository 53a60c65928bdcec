using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>The shared experts of a mixture on a device, with what weighs them; a mixture without them has an empty one.</summary>
internal sealed class SharedExperts(GpuDevice device, MixtureOfExperts.Weights weights, SharedScratch scratch) : IDisposable
{
    private readonly GatedNetwork? _network = weights.Shared is null ? null : new GatedNetwork(device, weights.Shared, scratch.Hidden!);
    private readonly DeviceLinear? _gate = weights.SharedGate is null ? null : new DeviceLinear(device, weights.SharedGate);

    internal bool ReadsQ8 => (_network?.ReadsQ8 ?? false) | (_gate?.ReadsQ8 ?? false);

    /// <summary>Computes them for the first rows, until <see cref="Combine"/> adds them.</summary>
    internal void Run(DeviceInput x, int rows)
    {
        _network?.Run(x, rows, scratch.Outputs, device.Model.Embedding);
        _gate?.Run(x, rows, scratch.GateLogits, 1);
    }

    /// <summary>Result = Σ weight · outputs, a row's experts in the order of their rank, + the shared experts'.</summary>
    /// <param name="pairs">Where each pair's output lies and what it weighs.</param>
    /// <param name="outputs"><c>[slots, embedding]</c>; may be the result, where slots are rows.</param>
    /// <param name="rows">Rows.</param>
    internal void Combine(WeighedPairs pairs, ArrayView<float> outputs, int rows)
    {
        int embedding = device.Model.Embedding;
        device.Elementwise.Combine(
            pairs,
            outputs,
            embedding,
            _network is null ? default : scratch.Outputs,
            embedding,
            _gate is null ? default : scratch.GateLogits,
            1,
            device.Result,
            embedding,
            rows,
            embedding);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _network?.Dispose();
        _gate?.Dispose();
    }
}

/// <summary>Buffers of shared experts, which all layers share.</summary>
internal sealed class SharedScratch(GpuQueue queue, int rows, int embedding, MixtureOfExperts.Weights weights) : IDisposable
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _outputs = queue.Allocate<float>(weights.Shared is null ? 0 : (long)rows * embedding);
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _gateLogits = queue.Allocate<float>(weights.SharedGate is null ? 0 : rows);

    /// <summary>Bytes that they take on the device.</summary>
    internal static long Bytes(long rows, int embedding, MixtureOfExperts.Weights weights) =>
        (weights.Shared is { } shared ? GatedScratch.Bytes(rows, shared.Gate.Outputs) + (rows * embedding * sizeof(float)) : 0)
        + (weights.SharedGate is null ? 0 : rows * sizeof(float));

    /// <summary><c>[rows, hidden]</c>; null where there are none.</summary>
    internal GatedScratch? Hidden { get; } = weights.Shared is { } shared ? new GatedScratch(queue, rows, shared.Gate.Outputs) : null;

    /// <summary><c>[rows, embedding]</c>.</summary>
    internal ArrayView<float> Outputs => _outputs.View;

    /// <summary><c>[rows]</c>.</summary>
    internal ArrayView<float> GateLogits => _gateLogits.View;

    /// <inheritdoc/>
    public void Dispose()
    {
        _outputs.Dispose();
        _gateLogits.Dispose();
        Hidden?.Dispose();
    }
}
