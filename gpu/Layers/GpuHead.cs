using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using IDevice = Pure.Engine.Devices.IDevice;

namespace Pure.Gpu.Layers;

/// <summary>The output head on a device: what it makes is the one thing of a pass that is read back.</summary>
internal sealed class GpuHead : IDeviceHead, IDisposable
{
    // Logits of a whole chunk may be more than there is room for; tokens that are written want one row each.
    private const long MostLogits = 16 << 20;

    private readonly GpuDevice _device;
    private readonly DeviceNorm _norm;
    private readonly DeviceLinear _matrix;
    private readonly float _divisor;
    private readonly DeviceInput _last;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _logits;
    private readonly int _rowsAtOnce;

    internal GpuHead(GpuDevice device, OutputHead head)
    {
        _device = device;
        _norm = new DeviceNorm(device, head.Norm);
        _matrix = new DeviceLinear(device, head.Matrix);
        _divisor = head.Divisor;
        _rowsAtOnce = RowsAtOnce(head, device.Model.MaxRows);
        _last = new DeviceInput(device.Queue, _rowsAtOnce, head.Matrix.Inputs);
        _logits = device.Queue.Allocate<float>((long)_rowsAtOnce * head.Matrix.Outputs);
    }

    /// <inheritdoc/>
    public IDevice Device => _device;

    /// <summary>What a head takes on the device; null where there is no kernel for it.</summary>
    internal static DeviceBytes? BytesOf(OutputHead head, int maxRows)
    {
        if (DeviceLinear.Refusal(head.Matrix) is not null)
            return null;
        long rows = RowsAtOnce(head, maxRows);
        long buffers = DeviceInput.Bytes(rows, head.Matrix.Inputs) + (rows * head.Matrix.Outputs * sizeof(float));
        return new DeviceBytes(DeviceLinear.Bytes(head.Matrix), 0, new DeviceBuffers("head", buffers));
    }

    /// <inheritdoc/>
    public void Forward(Step step, in Activations x, in Activations logits) =>
        _device.Guard((Head: this, Step: step, Logits: logits), static pass => pass.Head.Run(pass.Step, pass.Logits));

    /// <inheritdoc/>
    public void Dispose()
    {
        _matrix.Dispose();
        _last.Dispose();
        _logits.Dispose();
    }

    private static int RowsAtOnce(OutputHead head, int maxRows) => (int)Math.Clamp(MostLogits / head.Matrix.Outputs, 1, maxRows);

    private void Run(Step step, in Activations logits)
    {
        for (int row = 0, done = 0; done < logits.Rows;)
        {
            int count = 0;
            for (; row < step.Rows && count < _rowsAtOnce; row++)
            {
                if (step.Batch.Rows[row].WantsLogits)
                    Norm(row, count++);
            }

            Read(logits.Slice(done, count));
            done += count;
        }
    }

    private void Norm(int row, int place)
    {
        int columns = _norm.Size;
        _norm.Run(
            _device.Hidden.SubView((long)row * columns, columns), columns, _last.Values.SubView((long)place * columns, columns), columns, rows: 1);
    }

    private void Read(in Activations logits)
    {
        if (_matrix.ReadsQ8)
            _device.MatMul.Quantize(_last, logits.Rows);
        _matrix.Run(_last, logits.Rows, _logits.View, _matrix.Outputs);
        if (_divisor != 1)
            _device.Elementwise.Divide(_logits.View, _matrix.Outputs, logits.Rows, _matrix.Outputs, _divisor);
        _device.Queue.ReadBack(_logits.View, logits.All);
    }
}
