using ILGPU;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>y = W·x, or W·x + b, on a device.</summary>
internal sealed class DeviceLinear : IDisposable
{
    private readonly GpuDevice _device;
    private readonly DeviceMatrix _matrix;
    private readonly ArrayView<float> _bias;
    private readonly int _outputs;

    /// <summary>One matrix, or those of all experts of a layer.</summary>
    internal DeviceLinear(GpuDevice device, params ReadOnlySpan<Linear> experts)
    {
        _device = device;
        _outputs = experts[0].Outputs;
        ReadsQ8 = experts[0].ReadsQ8;
        var weights = new WeightMatrix[experts.Length];
        var bias = new float[experts[0].Bias.Length * experts.Length];
        for (int expert = 0; expert < experts.Length; expert++)
        {
            weights[expert] = experts[expert].Weights;
            experts[expert].Bias.CopyTo(bias.AsSpan(expert * experts[0].Bias.Length));
        }

        _matrix = DeviceMatrix.Upload(device.Queue, weights);
        _bias = device.Upload(bias);
    }

    private DeviceLinear(GpuDevice device, Linear like, int places)
    {
        _device = device;
        _outputs = like.Outputs;
        ReadsQ8 = like.ReadsQ8;
        _matrix = DeviceMatrix.Reserve(device.Queue, like.Weights, places);
        _bias = like.Bias.IsEmpty ? default : device.Own(device.Queue.Allocate<float>((long)places * like.Outputs)).View;
    }

    /// <summary>Whether the 8-bit form of the input must have been made.</summary>
    internal bool ReadsQ8 { get; }

    /// <summary>Outputs, of one expert.</summary>
    internal int Outputs => _outputs;

    /// <summary>Bytes that a matrix takes on the device.</summary>
    internal static long Bytes(Linear linear) =>
        DeviceMatrix.Bytes(linear.Weights.Type, linear.Outputs, linear.Inputs) + (sizeof(float) * (long)linear.Bias.Length);

    /// <summary>Room for as many matrices like one, which <see cref="Replace"/> fills.</summary>
    internal static DeviceLinear Reserve(GpuDevice device, Linear like, int places) => new(device, like, places);

    /// <summary>Puts a matrix where that of an expert lies.</summary>
    /// <param name="copies">Where copies line up.</param>
    /// <param name="place">Which expert's.</param>
    /// <param name="linear">Like the one that room was made for.</param>
    internal void Replace(GpuQueue copies, int place, Linear linear)
    {
        _matrix.Replace(copies, place, linear.Weights);
        if (!linear.Bias.IsEmpty)
            copies.Upload(linear.Bias, _bias.SubView((long)place * _outputs));
    }

    /// <summary>Why a matrix cannot be on a device, as the end of a sentence; null where it can.</summary>
    internal static string? Refusal(Linear linear)
    {
        if (linear.Order is not null)
            return "its inputs are in another order (act-order)";
        if (!DeviceMatrix.Has(linear.Weights.Type, linear.Inputs))
            return $"there is no kernel for {linear.Weights.Type} with {linear.Inputs} columns";
        return linear.Weights.IsQuantized && !linear.ReadsQ8 ? "quantised weights meet 8-bit activations there, and --activations f32 was asked for" : null;
    }

    /// <summary>y = W·x for the first <paramref name="rows"/> rows.</summary>
    internal void Run(DeviceInput x, int rows, ArrayView<float> y, int yStride) => _device.MatMul.Run(_matrix, x, rows, y, yStride, _bias);

    /// <summary>For each slot the product of its expert and its row.</summary>
    /// <param name="x">Rows of activations.</param>
    /// <param name="rowOfSlot">The row of each slot; empty for its own.</param>
    /// <param name="expertOfSlot">The expert of each slot.</param>
    /// <param name="slots">How many.</param>
    /// <param name="y"><c>[slots, yStride]</c>.</param>
    /// <param name="yStride">From a slot's outputs to the next's.</param>
    /// <param name="firstSlotOfExpert">Where slots are sorted by expert, the first of each; otherwise empty.</param>
    internal void RunGrouped(
        DeviceInput x,
        ArrayView<int> rowOfSlot,
        ArrayView<int> expertOfSlot,
        int slots,
        ArrayView<float> y,
        int yStride,
        ArrayView<int> firstSlotOfExpert = default) =>
        _device.MatMul.RunGrouped(_matrix, _outputs, x, rowOfSlot, expertOfSlot, slots, y, yStride, _bias, firstSlotOfExpert);

    /// <inheritdoc/>
    public void Dispose() => _matrix.Dispose();
}
