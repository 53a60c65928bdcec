using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>Sums over the lanes of a warp, in one order for all lanes: the result is the same in each and from run to run.</summary>
internal static class WarpSum
{
    internal static float Of(float value)
    {
        for (int distance = Warp.WarpSize / 2; distance > 0; distance >>= 1)
            value += Warp.ShuffleXor(value, distance);
        return value;
    }
}
