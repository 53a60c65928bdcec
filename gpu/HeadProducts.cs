using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using Pure.Gpu.Kernels;
using Launch = System.Action<
    ILGPU.Runtime.AcceleratorStream,
    ILGPU.KernelConfig,
    ILGPU.ArrayView<uint>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    Pure.Gpu.Kernels.HeadMatVecShape>;

namespace Pure.Gpu;

/// <summary>Products of each head's matrix with the head's columns of a batch's rows.</summary>
internal sealed class HeadProducts
{
    private const int MaxThreads = 128;

    private readonly GpuQueue _queue;
    private readonly int _threads;
    private readonly Launch[] _launches;

    internal HeadProducts(GpuQueue queue)
    {
        _queue = queue;
        Accelerator accelerator = queue.Accelerator;
        _threads = Math.Min(MaxThreads, accelerator.MaxNumThreadsPerGroup) / accelerator.WarpSize * accelerator.WarpSize;
        _launches = [Load<JointSums1>(accelerator), Load<JointSums2>(accelerator), Load<JointSums4>(accelerator), Load<JointSums8>(accelerator)];
    }

    /// <param name="matrices">The heads' matrices.</param>
    /// <param name="x">Rows of heads, from the first row's first head's first input on.</param>
    /// <param name="xStride">Row to row of the input.</param>
    /// <param name="xHead">Head to head in a row of the input.</param>
    /// <param name="y">Rows of heads, from the first row's first head's first output on.</param>
    /// <param name="yStride">Row to row of the output.</param>
    /// <param name="yHead">Head to head in a row of the output.</param>
    /// <param name="rows">Rows.</param>
    internal void Run(HeadMatrices matrices, ArrayView<float> x, int xStride, int xHead, ArrayView<float> y, int yStride, int yHead, int rows)
    {
        int log = BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Min(rows, HeadMatVecKernel.MaxRows)));
        int together = 1 << log;
        var shape = new HeadMatVecShape
        {
            Rows = rows,
            Outputs = matrices.Outputs,
            Inputs = matrices.Inputs,
            XStride = xStride,
            XHead = xHead,
            YStride = yStride,
            YHead = yHead,
            DotLanes = Math.Min(_queue.Accelerator.WarpSize, 1 << BitOperations.TrailingZeroCount(matrices.Inputs / 8)),
        };
        int tiles = (matrices.Outputs + HeadMatVecKernel.TileOutputs - 1) / HeadMatVecKernel.TileOutputs;
        var groups = new Index3D(tiles, matrices.Heads, (rows + together - 1) / together);
        _launches[log](_queue.Launch(), new KernelConfig(groups, new Index3D(_threads, 1, 1)), matrices.Words, x, y, shape);
    }

    private static Launch Load<TSums>(Accelerator accelerator)
        where TSums : struct, IJointSums<TSums> =>
        accelerator.LoadKernel<ArrayView<uint>, ArrayView<float>, ArrayView<float>, HeadMatVecShape>(HeadMatVecKernel.Run<TSums>);
}
