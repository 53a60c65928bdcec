using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels.Packed;

/// <summary>One block of a <see cref="Panel"/>.</summary>
internal readonly unsafe struct PanelBlock(byte* start, int width)
{
    /// <summary>The 32 quants of a column; the next column's follow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* Quants(int column) => start + (32 * column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vector256<float> Scale(int column) => Vector256.Create(((float*)(start + Panel.ScaleAt(width)))[column]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int MinusSum(int column) => ((int*)(start + Panel.MinusSumAt(width)))[column];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int MinusLower(int column) => ((int*)(start + Panel.MinusLowerAt(width)))[column];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int MinusUpper(int column) => ((int*)(start + Panel.MinusUpperAt(width)))[column];

    /// <summary><paramref name="zero"/> times the negated sums of four columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal FourColumns MinusSums(int zero, int column) => Times(zero, (int*)(start + Panel.MinusSumAt(width)) + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal FourColumns MinusLowers(int zero, int column) => Times(zero, (int*)(start + Panel.MinusLowerAt(width)) + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal FourColumns MinusUppers(int zero, int column) => Times(zero, (int*)(start + Panel.MinusUpperAt(width)) + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static FourColumns Times(int zero, int* sums) => new(
        Vector256.Create(zero * sums[0]), Vector256.Create(zero * sums[1]), Vector256.Create(zero * sums[2]), Vector256.Create(zero * sums[3]));
}
