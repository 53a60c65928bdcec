using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Kernels;
using Pure.Gpu.Kernels;
using RmsNormKernel = Pure.Gpu.Kernels.RmsNormKernel;

namespace Pure.Gpu;

/// <summary>What <see cref="Elementwise"/> launches to write rows in both forms, floats and the 8-bit blocks that quantised weights meet.</summary>
internal sealed class QuantizedRows
{
    private const int EightColumns = 8;

    private readonly GpuQueue _queue;
    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<Four>, int, ArrayView<Four>, InputView, int, float, float> _norm;
    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<Four>, int, ArrayView<Four>, int, InputView, int, int>[] _gates;

    /// <param name="queue">Where launches line up.</param>
    internal QuantizedRows(GpuQueue queue)
    {
        _queue = queue;
        Accelerator accelerator = queue.Accelerator;
        _norm = accelerator.LoadKernel<ArrayView<Four>, int, ArrayView<Four>, InputView, int, float, float>(RmsNormKernel.RunQuantized);
        _gates =
        [
            accelerator.LoadKernel<ArrayView<Four>, int, ArrayView<Four>, int, InputView, int, int>(GateKernel.RunQuantized<Silu>),
            accelerator.LoadKernel<ArrayView<Four>, int, ArrayView<Four>, int, InputView, int, int>(GateKernel.RunQuantized<Gelu>),
            accelerator.LoadKernel<ArrayView<Four>, int, ArrayView<Four>, int, InputView, int, int>(GateKernel.RunQuantized<ClampedSilu>),
        ];
    }

    internal void RmsNorm(ArrayView<float> x, int xStride, ArrayView<float> weight, DeviceInput y, int rows, float epsilon) =>
        _norm(_queue.Launch(), RowGroups(y, rows), x.Cast<Four>(), xStride / Four.Count, weight.Cast<Four>(), y.View, y.Columns / Four.Count, y.Columns, epsilon);

    internal void Gate(
        GateActivation activation, ArrayView<float> gate, int gateStride, ArrayView<float> up, int upStride, DeviceInput y, int rows)
    {
        int eights = y.Columns / EightColumns;
        int eightsOfAll = checked(rows * eights);
        int threads = Elementwise.ThreadsOfGroup(_queue.Accelerator, eightsOfAll, Elementwise.TileThreads);
        _gates[(int)activation](
            _queue.Launch(),
            new((eightsOfAll + threads - 1) / threads, threads),
            gate.Cast<Four>(),
            gateStride / Four.Count,
            up.Cast<Four>(),
            upStride / Four.Count,
            y.View,
            eights,
            eightsOfAll);
    }

    private KernelConfig RowGroups(DeviceInput y, int rows) =>
        new(rows, Elementwise.ThreadsOfGroup(_queue.Accelerator, y.Columns / Four.Count, Elementwise.RowThreads));
}
