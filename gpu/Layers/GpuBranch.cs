using ILGPU;
using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Gpu.Layers;

/// <summary>x += scale · postNorm(sublayer(norm(x))) on a device, whose own hidden state x is.</summary>
internal abstract class GpuBranch : IDeviceBranch, IDisposable
{
    private readonly DeviceNorm _norm;
    private readonly DeviceNorm? _postNorm;
    private readonly float _scale;

    private protected GpuBranch(GpuDevice device, Branch branch)
    {
        Gpu = device;
        _norm = new DeviceNorm(device, branch.Norm);
        _postNorm = branch.PostNorm is null ? null : new DeviceNorm(device, branch.PostNorm);
        _scale = branch.Scale;
    }

    /// <inheritdoc/>
    public IDevice Device => Gpu;

    private protected GpuDevice Gpu { get; }

    /// <summary>Whether the 8-bit form of the normalised hidden state must have been made.</summary>
    private protected abstract bool ReadsQ8 { get; }

    /// <inheritdoc/>
    public void Forward(Step step, in Activations x) => Gpu.Guard((Branch: this, Step: step), static pass => pass.Branch.Run(pass.Step));

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>From <see cref="GpuDevice.Normed"/> to <see cref="GpuDevice.Result"/>.</summary>
    private protected abstract void Forward(Step step);

    private void Run(Step step)
    {
        int columns = Gpu.Model.Embedding;
        _norm.Run(Gpu.Hidden, Gpu.Normed, step.Rows, ReadsQ8);
        Forward(step);
        _postNorm?.Run(Gpu.Result, columns, Gpu.Result, columns, step.Rows);
        Gpu.Elementwise.AddScaled(Gpu.Result, columns, _scale, Gpu.Hidden, columns, step.Rows, columns);
    }
}

/// <summary>A norm on a device.</summary>
internal sealed class DeviceNorm(GpuDevice device, RmsNorm norm)
{
    private readonly ArrayView<float> _weight = device.Upload(norm.Weight);

    /// <summary>Gain <c>[columns]</c>.</summary>
    internal ArrayView<float> Weight => _weight;

    /// <summary>Columns it normalises.</summary>
    internal int Size { get; } = norm.Size;

    /// <summary>Added to the mean square.</summary>
    internal float Epsilon { get; } = norm.Epsilon;

    /// <summary>Normalises rows, which may be those of <paramref name="y"/>, and makes their 8-bit form where asked.</summary>
    internal void Run(ArrayView<float> x, DeviceInput y, int rows, bool quantize)
    {
        if (quantize)
            device.Elementwise.RmsNormQuantized(x, Size, _weight, y, rows, Epsilon);
        else
            Run(x, Size, y.Values, Size, rows);
    }

    /// <summary>Normalises rows; y may be x.</summary>
    internal void Run(ArrayView<float> x, int xStride, ArrayView<float> y, int yStride, int rows) =>
        device.Elementwise.RmsNorm(x, xStride, _weight, y, yStride, rows, Size, Epsilon);
}
