using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Kernels;
using Pure.Gpu.Kernels;
using RmsNormKernel = Pure.Gpu.Kernels.RmsNormKernel;

namespace Pure.Gpu;

/// <summary>
/// Normalisation, gates and sums of rows. Strides count floats, from a row to the next. Where rows begin on 16 bytes and have a multiple
/// of four columns, threads read 16 bytes at a time.
/// </summary>
internal sealed class Elementwise
{
    /// <summary>Most threads that normalise a row: it may be the only one.</summary>
    internal const int RowThreads = 512;

    /// <summary>Most threads of a group where each has columns of its own.</summary>
    internal const int TileThreads = 128;

    private readonly GpuQueue _queue;
    private readonly Kernels<One> _ones;
    private readonly Kernels<Four> _fours;
    private readonly QuantizedRows _quantized;

    /// <param name="queue">Where launches line up.</param>
    internal Elementwise(GpuQueue queue)
    {
        _queue = queue;
        _ones = new Kernels<One>(queue.Accelerator);
        _fours = new Kernels<Four>(queue.Accelerator);
        _quantized = new QuantizedRows(queue);
    }

    /// <summary>y = x / √(mean(x²) + epsilon) ⊙ weight, row by row; y may be x.</summary>
    internal void RmsNorm(
        ArrayView<float> x, int xStride, ArrayView<float> weight, ArrayView<float> y, int yStride, int rows, int columns, float epsilon)
    {
        if (AreInFours(columns, xStride, yStride) && IsAligned(x) && IsAligned(weight) && IsAligned(y))
            _fours.RmsNorm(_queue, x, xStride, weight, y, yStride, rows, columns, epsilon);
        else
            _ones.RmsNorm(_queue, x, xStride, weight, y, yStride, rows, columns, epsilon);
    }

    /// <summary>y = RmsNorm(x) with its 8-bit form: the bits of <see cref="RmsNorm"/> and <see cref="MatMul.Quantize"/> in one launch.</summary>
    /// <exception cref="ArgumentException">Rows do not begin on 16 bytes.</exception>
    internal void RmsNormQuantized(ArrayView<float> x, int xStride, ArrayView<float> weight, DeviceInput y, int rows, float epsilon)
    {
        CheckQuantized(y, rows, xStride, IsAligned(x) && IsAligned(weight));
        _quantized.RmsNorm(x, xStride, weight, y, rows, epsilon);
    }

    /// <summary><see cref="Gate"/> with the 8-bit form of y, whose floats may be gate or up.</summary>
    /// <exception cref="ArgumentException">Rows do not begin on 16 bytes.</exception>
    internal void GateQuantized(
        GateActivation activation, ArrayView<float> gate, int gateStride, ArrayView<float> up, int upStride, DeviceInput y, int rows)
    {
        CheckQuantized(y, rows, gateStride | upStride, IsAligned(gate) && IsAligned(up));
        _quantized.Gate(activation, gate, gateStride, up, upStride, y, rows);
    }

    /// <summary>y = fma(scale, x, y), row by row.</summary>
    internal void AddScaled(ArrayView<float> x, int xStride, float scale, ArrayView<float> y, int yStride, int rows, int columns)
    {
        if (AreInFours(columns, xStride, yStride) && IsAligned(x) && IsAligned(y))
            _fours.Add(_queue, x, xStride, scale, y, yStride, rows, columns);
        else
            _ones.Add(_queue, x, xStride, scale, y, yStride, rows, columns);
    }

    /// <summary>y = activation(gate) ⊙ up, row by row; y may be either.</summary>
    internal void Gate(
        GateActivation activation,
        ArrayView<float> gate,
        int gateStride,
        ArrayView<float> up,
        int upStride,
        ArrayView<float> y,
        int yStride,
        int rows,
        int columns)
    {
        if (AreInFours(columns, gateStride, upStride, yStride) && IsAligned(gate) && IsAligned(up) && IsAligned(y))
            _fours.Gate(_queue, activation, gate, gateStride, up, upStride, y, yStride, rows, columns);
        else
            _ones.Gate(_queue, activation, gate, gateStride, up, upStride, y, yStride, rows, columns);
    }

    /// <summary>y = y / divisor.</summary>
    internal void Divide(ArrayView<float> y, int yStride, int rows, int columns, float divisor)
    {
        if (AreInFours(columns, yStride, 0) && IsAligned(y))
            _fours.Divide(_queue, y, yStride, rows, columns, divisor);
        else
            _ones.Divide(_queue, y, yStride, rows, columns, divisor);
    }

    /// <summary>
    /// y = Σ weight · outputs, a row's experts rank after rank, + the shared expert's, times the sigmoid of its gate's logit.
    /// </summary>
    /// <param name="pairs">Where each pair's output lies and what it weighs.</param>
    /// <param name="outputs"><c>[slots, columns]</c>.</param>
    /// <param name="outputStride">From a slot to the next.</param>
    /// <param name="shared">The shared expert's <c>[rows, columns]</c>; empty for none.</param>
    /// <param name="sharedStride">From a row of the shared expert's to the next.</param>
    /// <param name="sharedGate">Logits of its gate; empty for a weight of 1.</param>
    /// <param name="sharedGateStride">From a row's logit to the next.</param>
    /// <param name="y"><c>[rows, columns]</c>.</param>
    /// <param name="yStride">From a row of y to the next.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns of a row.</param>
    internal void Combine(
        WeighedPairs pairs,
        ArrayView<float> outputs,
        int outputStride,
        ArrayView<float> shared,
        int sharedStride,
        ArrayView<float> sharedGate,
        int sharedGateStride,
        ArrayView<float> y,
        int yStride,
        int rows,
        int columns)
    {
        if (AreInFours(columns, outputStride, sharedStride, yStride) && IsAligned(outputs) && IsAligned(shared) && IsAligned(y))
            _fours.Combine(_queue, pairs, outputs, outputStride, shared, sharedStride, sharedGate, sharedGateStride, y, yStride, rows, columns);
        else
            _ones.Combine(_queue, pairs, outputs, outputStride, shared, sharedStride, sharedGate, sharedGateStride, y, yStride, rows, columns);
    }

    private static void CheckQuantized(DeviceInput y, int rows, int strides, bool areAligned)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, y.Rows);
        if (!areAligned || !AreInFours(strides, 0, 0))
            throw new ArgumentException("Rows that are quantised begin on 16 bytes; these do not.");
    }

    private static bool AreInFours(int columns, int stride, int otherStride, int thirdStride = 0) =>
        ((columns | stride | otherStride | thirdStride) & (Four.Count - 1)) == 0;

    private static bool IsAligned(ArrayView<float> view) =>
        view.Length == 0 || ((long)view.LoadEffectiveAddressAsPtr() & ((Four.Count * sizeof(float)) - 1)) == 0;

    /// <summary>Whole warps with a thread for each item, up to a limit.</summary>
    internal static int ThreadsOfGroup(Accelerator accelerator, int items, int limit)
    {
        int warp = accelerator.WarpSize;
        return Math.Clamp((items + warp - 1) / warp * warp, warp, Math.Min(limit, accelerator.MaxNumThreadsPerGroup));
    }

    /// <summary>The kernels for what a thread reads at a time.</summary>
    private sealed class Kernels<TFloats>(Accelerator accelerator)
        where TFloats : unmanaged, IFloats<TFloats>
    {
        private readonly int _width = Interop.SizeOf<TFloats>() / sizeof(float);
        private readonly Action<AcceleratorStream, KernelConfig, ArrayView<TFloats>, int, ArrayView<TFloats>, ArrayView<TFloats>, int, int, float, float> _norm =
            accelerator.LoadKernel<ArrayView<TFloats>, int, ArrayView<TFloats>, ArrayView<TFloats>, int, int, float, float>(RmsNormKernel.Run);

        private readonly Action<AcceleratorStream, KernelConfig, ArrayView<TFloats>, int, float, ArrayView<TFloats>, int, int> _add =
            accelerator.LoadKernel<ArrayView<TFloats>, int, float, ArrayView<TFloats>, int, int>(AddKernel.Run);

        private readonly Action<AcceleratorStream, KernelConfig, ArrayView<TFloats>, int, int, float> _divide =
            accelerator.LoadKernel<ArrayView<TFloats>, int, int, float>(DivideKernel.Run);

        private readonly Action<AcceleratorStream, KernelConfig, ArrayView<TFloats>, int, ArrayView<TFloats>, int, ArrayView<TFloats>, int, int>[] _gates =
        [
            accelerator.LoadKernel<ArrayView<TFloats>, int, ArrayView<TFloats>, int, ArrayView<TFloats>, int, int>(GateKernel.Run<TFloats, Silu>),
            accelerator.LoadKernel<ArrayView<TFloats>, int, ArrayView<TFloats>, int, ArrayView<TFloats>, int, int>(GateKernel.Run<TFloats, Gelu>),
            accelerator.LoadKernel<ArrayView<TFloats>, int, ArrayView<TFloats>, int, ArrayView<TFloats>, int, int>(GateKernel.Run<TFloats, ClampedSilu>),
        ];

        private readonly Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, int, ArrayView<TFloats>, int, ArrayView<TFloats>, int, ArrayView<float>, int, ArrayView<TFloats>, int, int> _combine =
            accelerator.LoadKernel<ArrayView<int>, ArrayView<float>, int, ArrayView<TFloats>, int, ArrayView<TFloats>, int, ArrayView<float>, int, ArrayView<TFloats>, int, int>(CombineKernel.Run);

        internal void RmsNorm(
            GpuQueue queue, ArrayView<float> x, int xStride, ArrayView<float> weight, ArrayView<float> y, int yStride, int rows, int columns, float epsilon) =>
            _norm(
                queue.Launch(), RowGroups(rows, columns), Cast(x), xStride / _width, Cast(weight), Cast(y), yStride / _width, columns / _width, columns, epsilon);

        internal void Add(GpuQueue queue, ArrayView<float> x, int xStride, float scale, ArrayView<float> y, int yStride, int rows, int columns) =>
            _add(queue.Launch(), Tiles(rows, columns), Cast(x), xStride / _width, scale, Cast(y), yStride / _width, columns / _width);

        internal void Divide(GpuQueue queue, ArrayView<float> y, int yStride, int rows, int columns, float divisor) =>
            _divide(queue.Launch(), Tiles(rows, columns), Cast(y), yStride / _width, columns / _width, divisor);

        internal void Gate(
            GpuQueue queue,
            GateActivation activation,
            ArrayView<float> gate,
            int gateStride,
            ArrayView<float> up,
            int upStride,
            ArrayView<float> y,
            int yStride,
            int rows,
            int columns) =>
            _gates[(int)activation](
                queue.Launch(), Tiles(rows, columns), Cast(gate), gateStride / _width, Cast(up), upStride / _width, Cast(y), yStride / _width, columns / _width);

        internal void Combine(
            GpuQueue queue,
            WeighedPairs pairs,
            ArrayView<float> outputs,
            int outputStride,
            ArrayView<float> shared,
            int sharedStride,
            ArrayView<float> sharedGate,
            int sharedGateStride,
            ArrayView<float> y,
            int yStride,
            int rows,
            int columns) =>
            _combine(
                queue.Launch(),
                Tiles(rows, columns),
                pairs.SlotOfPair,
                pairs.WeightOfPair,
                pairs.Used,
                Cast(outputs),
                outputStride / _width,
                Cast(shared),
                sharedStride / _width,
                sharedGate,
                sharedGateStride,
                Cast(y),
                yStride / _width,
                columns / _width);

        private static ArrayView<TFloats> Cast(ArrayView<float> view) => view.Cast<TFloats>();

        private KernelConfig RowGroups(int rows, int columns) => new(rows, Threads(columns, RowThreads));

        private KernelConfig Tiles(int rows, int columns)
        {
            int threads = Threads(columns, TileThreads);
            int tiles = ((columns / _width) + threads - 1) / threads;
            return new(new Index3D(rows, tiles, 1), new Index3D(threads, 1, 1));
        }

        private int Threads(int columns, int limit) => ThreadsOfGroup(accelerator, columns / _width, limit);
    }
}
