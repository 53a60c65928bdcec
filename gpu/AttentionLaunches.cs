using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;
using MergeLaunch = System.Action<
    ILGPU.Runtime.AcceleratorStream,
    ILGPU.KernelConfig,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<Pure.Gpu.Kernels.RowPlace>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    Pure.Gpu.Kernels.AttentionShape>;
using RowsLaunch = System.Action<
    ILGPU.Runtime.AcceleratorStream,
    ILGPU.KernelConfig,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<uint>,
    ILGPU.ArrayView<Pure.Gpu.Kernels.RowPlace>,
    ILGPU.ArrayView<int>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    Pure.Gpu.Kernels.AttentionShape>;
using SpansLaunch = System.Action<
    ILGPU.Runtime.AcceleratorStream,
    ILGPU.KernelConfig,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<uint>,
    ILGPU.ArrayView<Pure.Gpu.Kernels.RowPlace>,
    ILGPU.ArrayView<int>,
    ILGPU.ArrayView<Pure.Gpu.Kernels.SpanPlace>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>,
    Pure.Gpu.Kernels.AttentionShape>;

namespace Pure.Gpu;

/// <summary>The compiled attention kernels for groups of up to a number of heads.</summary>
/// <param name="Heads">Heads of a group.</param>
/// <param name="Spans">A span of a row.</param>
/// <param name="Merge">The spans of a row.</param>
/// <param name="Rows">All of a row.</param>
internal sealed record AttentionLaunches(int Heads, SpansLaunch Spans, MergeLaunch Merge, RowsLaunch Rows)
{
    /// <summary>The smallest groups that hold all heads of a key/value head, or the largest there are.</summary>
    internal static AttentionLaunches Load(Accelerator accelerator, CacheType type, int sharing) =>
        type == CacheType.F16 ? Load<StoredF16>(accelerator, sharing) : Load<StoredF32>(accelerator, sharing);

    /// <summary>Heads of a group, where so many share a key/value head.</summary>
    internal static int HeadsOf(int sharing) => sharing switch
    {
        1 => 1,
        2 => 2,
        3 or 4 => 4,
        _ => 8,
    };

    private static AttentionLaunches Load<TStored>(Accelerator accelerator, int sharing)
        where TStored : struct, IStoredFloats => HeadsOf(sharing) switch
        {
            1 => Load<TStored, JointSums1>(accelerator),
            2 => Load<TStored, JointSums2>(accelerator),
            4 => Load<TStored, JointSums4>(accelerator),
            _ => Load<TStored, JointSums8>(accelerator),
        };

    private static AttentionLaunches Load<TStored, TSums>(Accelerator accelerator)
        where TStored : struct, IStoredFloats
        where TSums : struct, IJointSums<TSums> => new(
            default(TSums).Count,
            accelerator.LoadKernel<
                ArrayView<float>,
                ArrayView<uint>,
                ArrayView<RowPlace>,
                ArrayView<int>,
                ArrayView<SpanPlace>,
                ArrayView<float>,
                ArrayView<float>,
                ArrayView<float>,
                AttentionShape>(AttentionKernel.Spans<TStored, TSums>),
            accelerator.LoadKernel<
                ArrayView<float>,
                ArrayView<float>,
                ArrayView<float>,
                ArrayView<RowPlace>,
                ArrayView<float>,
                ArrayView<float>,
                AttentionShape>(MergeSpansKernel.Run<TSums>),
            accelerator.LoadKernel<
                ArrayView<float>,
                ArrayView<uint>,
                ArrayView<RowPlace>,
                ArrayView<int>,
                ArrayView<float>,
                ArrayView<float>,
                AttentionShape>(AttentionKernel.Rows<TStored, TSums>));
}
