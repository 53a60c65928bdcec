using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>Sums over the threads of a group: in each warp, then warp after warp; the result is the same in each and from run to run.</summary>
internal static class GroupSum
{
    // 1024 threads in warps of 32.
    private const int MaxWarps = 32;

    /// <summary>Once in a kernel: what the warps say to one another stays where it is.</summary>
    internal static float Of(float value)
    {
        ArrayView<float> warps = SharedMemory.Allocate<float>(MaxWarps);
        value = WarpSum.Of(value);
        if (Warp.LaneIdx == 0)
            warps[Group.IdxX / Warp.WarpSize] = value;
        Group.Barrier();
        float sum = 0;
        for (int warp = 0; warp < Group.DimX / Warp.WarpSize; warp++)
            sum += warps[warp];
        return sum;
    }
}
