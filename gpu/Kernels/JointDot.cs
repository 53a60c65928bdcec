using System.Runtime.CompilerServices;
using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>Eight elements of a key or of a row of weights, times the same columns of several queries or inputs.</summary>
internal static class JointDot
{
    /// <param name="sums">The products before.</param>
    /// <param name="x">The elements.</param>
    /// <param name="factors"><c>[8, Count]</c> from <paramref name="at"/> on.</param>
    /// <param name="at">Where they begin.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TSums Add<TSums>(TSums sums, Float8 x, ArrayView<float> factors, int at)
        where TSums : struct, IJointSums<TSums>
    {
        int count = default(TSums).Count;
        sums = default(TSums).Add(sums, x.A, factors, at);
        sums = default(TSums).Add(sums, x.B, factors, at + count);
        sums = default(TSums).Add(sums, x.C, factors, at + (2 * count));
        sums = default(TSums).Add(sums, x.D, factors, at + (3 * count));
        sums = default(TSums).Add(sums, x.E, factors, at + (4 * count));
        sums = default(TSums).Add(sums, x.F, factors, at + (5 * count));
        sums = default(TSums).Add(sums, x.G, factors, at + (6 * count));
        return default(TSums).Add(sums, x.H, factors, at + (7 * count));
    }
}
