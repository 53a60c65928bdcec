using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Quantization;
using Pure.Gpu.Kernels;
using Kernel = System.Action<
    ILGPU.Runtime.AcceleratorStream, ILGPU.KernelConfig, Pure.Gpu.Kernels.WeightView, Pure.Gpu.Kernels.InputView, Pure.Gpu.Kernels.Product>;

namespace Pure.Gpu;

/// <summary>
/// Products of weights and rows of activations on the device. Quantised weights meet the 8-bit form of the activations, which
/// <see cref="Quantize"/> makes; floats meet floats. Nothing here allocates on the device or waits for it.
/// </summary>
internal sealed class MatMul
{
    // A grid has 65,535 groups at most in its second direction: enough for half a million outputs.
    private const int WarpsOfGroup = 8;

    /// <summary>Groups that a multiprocessor should have at least, where outputs are enough.</summary>
    private const int GroupsOfMultiprocessor = 4;

    /// <summary>Warps that share a tile's slots.</summary>
    private const int WarpsOfTile = 4;

    /// <summary>Up to as many slots read the weights once each: most of them come from the second cache, and a tile would be mostly empty.</summary>
    private const int MostVectors = 8;

    /// <summary>The same of the slots of an expert, in the mean.</summary>
    private const int SlotsOfTiledExpert = 4;

    private readonly GpuQueue _queue;
    private readonly Accelerator _accelerator;
    private readonly int _groupSize;
    private readonly Dictionary<ElementType, Kernels> _kernels = [];
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
        var product = new Product(default, default, default, bias, y, rows, w.Rows, w.Columns / DeviceFormat.BlockSize, yStride);
        Kernels kernels = Check(w, x, product);
        if (rows > MostVectors && kernels.Tiles is not null)
            RunTiles(kernels.Tiles, w, x, product, experts: 1);
        else
            RunVectors(kernels.Vectors, w, x, product);
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
    /// <param name="firstSlotOfExpert">
    /// <c>[experts + 1]</c> where slots are sorted by expert: where each expert's begin, the last being <paramref name="slots"/>. Many slots are
    /// then made in tiles.
    /// </param>
    internal void RunGrouped(
        DeviceMatrix experts,
        int rowsPerExpert,
        DeviceInput x,
        ArrayView<int> inputRowOfSlot,
        ArrayView<int> expertOfSlot,
        int slots,
        ArrayView<float> y,
        int yStride,
        ArrayView<float> bias = default,
        ArrayView<int> firstSlotOfExpert = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(experts.Rows % rowsPerExpert, 0, nameof(rowsPerExpert));
        ArgumentOutOfRangeException.ThrowIfLessThan(expertOfSlot.Length, slots, nameof(expertOfSlot));
        int count = experts.Rows / rowsPerExpert;
        var product = new Product(
            inputRowOfSlot, expertOfSlot, firstSlotOfExpert, bias, y, slots, rowsPerExpert, experts.Columns / DeviceFormat.BlockSize, yStride);
        Kernels kernels = Check(experts, x, product);
        if (firstSlotOfExpert.Length > count && slots > SlotsOfTiledExpert * count && kernels.Tiles is not null)
            RunTiles(kernels.Tiles, experts, x, product, count);
        else
            RunVectors(kernels.Vectors, experts, x, product);
    }

    /// <summary>Whether warps are those of tiles; others have vectors alone.</summary>
    private bool HasLanes => _accelerator.WarpSize == MatMulKernel.Lanes;

    private static int DivideUp(int value, int divisor) => checked(value + divisor - 1) / divisor;

    private Kernels Check(DeviceMatrix w, DeviceInput x, Product product)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Columns, w.Columns, nameof(x));
        ArgumentOutOfRangeException.ThrowIfLessThan(product.Slots, 1, nameof(product));
        ArgumentOutOfRangeException.ThrowIfLessThan(product.YStride, product.Rows, nameof(product));
        ArgumentOutOfRangeException.ThrowIfLessThan(product.Y.Length, ((product.Slots - 1L) * product.YStride) + product.Rows, nameof(product));
        if (!_kernels.TryGetValue(w.Type, out Kernels? kernels))
            _kernels.Add(w.Type, kernels = Load(w.Type));
        return kernels;
    }

    private void RunVectors(Kernel kernel, DeviceMatrix w, DeviceInput x, Product product)
    {
        int warps = Warps(_groupSize / _accelerator.WarpSize, product.Rows, product.Slots);
        kernel(
            _queue.Launch(),
            new(new Index3D(product.Slots, DivideUp(product.Rows, warps), 1), new Index3D(warps * _accelerator.WarpSize, 1, 1)),
            w.View,
            x.View,
            product);
    }

    private void RunTiles(Kernel kernel, DeviceMatrix w, DeviceInput x, Product product, int experts)
    {
        int tiles = DivideUp(product.Slots, MatMulKernel.Slots);
        int outputs = DivideUp(product.Rows, MatMulKernel.OutputsOfWarp);
        int warps = Warps(Math.Min(WarpsOfTile, _groupSize / _accelerator.WarpSize), outputs, Math.Max(tiles, experts));
        kernel(
            _queue.Launch(),
            new(new Index3D(DivideUp(outputs, warps), tiles, experts), new Index3D(warps * _accelerator.WarpSize, 1, 1)),
            w.View,
            x.View,
            product);
    }

    /// <summary>Warps of a group: few outputs go into smaller groups, so that every multiprocessor has some.</summary>
    private int Warps(int most, int outputs, int others)
    {
        while (most > 1 && (long)DivideUp(outputs, most) * others < GroupsOfMultiprocessor * _accelerator.NumMultiprocessors)
            most /= 2;
        return most;
    }

    private Kernels Load(ElementType type) => type switch
    {
        ElementType.F32 => new(_accelerator.LoadKernel<WeightView, InputView, Product>(MatVecKernel.Floats<Float32>), null),
        ElementType.F16 => LoadFloats<Float16>(),
        ElementType.BF16 => LoadFloats<BrainFloat16>(),
        ElementType.Q8_0 or ElementType.Q5_0 => Load<ByteCodes, HalfScale>(),
        ElementType.Q4_0 => Load<NibbleCodes, HalfScaleOfEight>(),
        ElementType.IQ4_NL => LoadNamed<UnevenValues, HalfScale>(),
        ElementType.MXFP4 => LoadNamed<Float4Values, PowerOfTwoScale>(),
        ElementType.Q4_K => Load<NibbleCodes, SuperScaleAndMin>(),
        ElementType.Q5_K => Load<ByteCodes, SuperScaleAndMin>(),
        ElementType.Q6_K => Load<SixBitCodes, SuperScalePair>(),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "There is no kernel on the device for this element type."),
    };

    private Kernels LoadFloats<TFloat>()
        where TFloat : struct, IShortFloatWeights => new(
            _accelerator.LoadKernel<WeightView, InputView, Product>(MatVecKernel.Floats<TFloat>),
            _accelerator.AcceleratorType == AcceleratorType.Cuda ? _accelerator.LoadKernel<WeightView, InputView, Product>(MatMulFloatKernel.Run<TFloat, CudaTensorCores>)
            : HasLanes ? _accelerator.LoadKernel<WeightView, InputView, Product>(MatMulFloatKernel.Run<TFloat, PlainTensorCores>)
            : null);

    private Kernels LoadNamed<TValues, TScales>()
        where TValues : struct, ISixteenValues
        where TScales : struct, IBlockScales =>
        _accelerator.AcceleratorType == AcceleratorType.Cuda
            ? Load<NamedCodes<TValues, CudaByteMath>, TScales>()
            : Load<NamedCodes<TValues, PlainByteMath>, TScales>();

    private Kernels Load<TCodes, TScales>()
        where TCodes : struct, IBlockCodes
        where TScales : struct, IBlockScales =>
        _accelerator.AcceleratorType == AcceleratorType.Cuda
            ? new(
                _accelerator.LoadKernel<WeightView, InputView, Product>(MatVecKernel.Quantized<TCodes, TScales, CudaByteMath>),
                _accelerator.LoadKernel<WeightView, InputView, Product>(MatMulKernel.Run<TCodes, TScales, CudaTensorCores>))
            : new(
                _accelerator.LoadKernel<WeightView, InputView, Product>(MatVecKernel.Quantized<TCodes, TScales, PlainByteMath>),
                HasLanes
                    ? _accelerator.LoadKernel<WeightView, InputView, Product>(MatMulKernel.Run<TCodes, TScales, PlainTensorCores>)
                    : null);

    private sealed record Kernels(Kernel Vectors, Kernel? Tiles);
}
