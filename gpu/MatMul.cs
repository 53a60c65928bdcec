using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Quantization;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>
/// Products of weights and rows of activations on the device. Quantised weights meet the 8-bit form of the activations, which
/// <see cref="Quantize"/> makes; floats meet floats. Nothing here allocates on the device or waits for it.
/// </summary>
internal sealed class MatMul
{
    // A grid has 65,535 groups at most in its second direction: enough for half a million outputs.
    private const int WarpsOfGroup = 8;

    private readonly GpuQueue _queue;
    private readonly Accelerator _accelerator;
    private readonly int _groupSize;
    private readonly Dictionary<ElementType, Action<AcceleratorStream, KernelConfig, WeightView, InputView, Product>> _matVec = [];
    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<Four>, ArrayView<Pair>, ArrayView<float>, ArrayView<int>, int> _quantize;

    internal MatMul(GpuQueue queue)
    {
        _queue = queue;
        _accelerator = queue.Accelerator;
        _groupSize = Math.Min(_accelerator.MaxNumThreadsPerGroup / _accelerator.WarpSize, WarpsOfGroup) * _accelerator.WarpSize;
        _quantize = _accelerator.LoadKernel<ArrayView<Four>, ArrayView<Pair>, ArrayView<float>, ArrayView<int>, int>(QuantizeKernel.Run);
    }

    /// <summary>Makes the 8-bit form of the first <paramref name="rows"/> rows.</summary>
    internal void Quantize(DeviceInput x, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, x.Rows);
        InputView view = x.View;
        int blocks = checked(rows * (x.Columns / DeviceFormat.BlockSize));
        int groups = DivideUp(blocks * QuantizeKernel.LanesOfBlock, _groupSize);
        _quantize(_queue.Launch(), new(groups, _groupSize), view.Values, view.Codes.Cast<Pair>(), view.Scales, view.Sums, blocks);
    }

    /// <summary>y[row, o] = W[o] · x[row] (+ bias[o]).</summary>
    /// <param name="w"><c>[outputs, columns]</c>.</param>
    /// <param name="x"><c>[rows, columns]</c>; for quantised weights its 8-bit form.</param>
    /// <param name="rows">How many rows of <paramref name="x"/>.</param>
    /// <param name="y"><c>[rows, yStride]</c>.</param>
    /// <param name="yStride">Elements from one row of <paramref name="y"/> to the next.</param>
    /// <param name="bias"><c>[outputs]</c>, or empty.</param>
    internal void Run(DeviceMatrix w, DeviceInput x, int rows, ArrayView<float> y, int yStride, ArrayView<float> bias = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, x.Rows);
        RunVectors(w, w.Rows, x, rows, new(default, default, bias, y, w.Rows, w.Columns / DeviceFormat.BlockSize, yStride));
    }

    /// <summary>
    /// y[slot, o] = W[e · rowsPerExpert + o] · x[inputRowOfSlot[slot]] (+ bias[e, o]) with e = expertOfSlot[slot]: what the device found, and
    /// the host doesn't know.
    /// </summary>
    /// <param name="experts"><c>[experts · rowsPerExpert, columns]</c>.</param>
    /// <param name="rowsPerExpert">Outputs of an expert.</param>
    /// <param name="x">Rows of activations; for quantised weights their 8-bit form.</param>
    /// <param name="inputRowOfSlot"><c>[slots]</c>, or empty where slot i reads row i.</param>
    /// <param name="expertOfSlot"><c>[slots]</c>.</param>
    /// <param name="slots">How many.</param>
    /// <param name="y"><c>[slots, yStride]</c>.</param>
    /// <param name="yStride">Elements from one row of <paramref name="y"/> to the next.</param>
    /// <param name="bias"><c>[experts, rowsPerExpert]</c>, or empty.</param>
    internal void RunGrouped(
        DeviceMatrix experts,
        int rowsPerExpert,
        DeviceInput x,
        ArrayView<int> inputRowOfSlot,
        ArrayView<int> expertOfSlot,
        int slots,
        ArrayView<float> y,
        int yStride,
        ArrayView<float> bias = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(experts.Rows % rowsPerExpert, 0, nameof(rowsPerExpert));
        ArgumentOutOfRangeException.ThrowIfLessThan(expertOfSlot.Length, slots, nameof(expertOfSlot));
        RunVectors(
            experts,
            rowsPerExpert,
            x,
            slots,
            new(inputRowOfSlot, expertOfSlot, bias, y, rowsPerExpert, experts.Columns / DeviceFormat.BlockSize, yStride));
    }

    private void RunVectors(DeviceMatrix w, int outputs, DeviceInput x, int slots, Product product)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Columns, w.Columns, nameof(x));
        ArgumentOutOfRangeException.ThrowIfLessThan(product.YStride, outputs, nameof(product));
        ArgumentOutOfRangeException.ThrowIfLessThan(product.Y.Length, ((slots - 1L) * product.YStride) + outputs, nameof(product));
        if (!_matVec.TryGetValue(w.Type, out var kernel))
            _matVec.Add(w.Type, kernel = LoadMatVec(w.Type));
        int groups = DivideUp(outputs, _groupSize / _accelerator.WarpSize);
        kernel(_queue.Launch(), new(new Index3D(slots, groups, 1), new Index3D(_groupSize, 1, 1)), w.View, x.View, product);
    }

    private Action<AcceleratorStream, KernelConfig, WeightView, InputView, Product> LoadMatVec(ElementType type) => type switch
    {
        ElementType.F32 => Load(MatVecKernel.Floats<Float32>),
        ElementType.F16 => Load(MatVecKernel.Floats<Float16>),
        ElementType.Q8_0 => LoadQuantized<ByteCodes, HalfScale>(),
        ElementType.Q4_0 => LoadQuantized<NibbleCodes, HalfScaleOfEight>(),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "There is no kernel on the device for this element type."),
    };

    private Action<AcceleratorStream, KernelConfig, WeightView, InputView, Product> LoadQuantized<TCodes, TScales>()
        where TCodes : struct, IBlockCodes
        where TScales : struct, IBlockScales =>
        _accelerator.AcceleratorType == AcceleratorType.Cuda
            ? Load(MatVecKernel.Quantized<TCodes, TScales, CudaByteMath>)
            : Load(MatVecKernel.Quantized<TCodes, TScales, PlainByteMath>);

    private Action<AcceleratorStream, KernelConfig, WeightView, InputView, Product> Load(Action<WeightView, InputView, Product> kernel) =>
        _accelerator.LoadKernel(kernel);

    private static int DivideUp(int value, int divisor) => checked(value + divisor - 1) / divisor;
}
