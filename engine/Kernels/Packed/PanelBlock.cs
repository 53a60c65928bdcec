using System.Runtime.CompilerServices;

namespace Pure.Engine.Kernels.Packed;

/// <summary>One block of a <see cref="Panel"/>.</summary>
internal readonly unsafe struct PanelBlock(byte* start, int width)
{
    /// <summary>The 32 quants of a column; the next column's follow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* Quants(int column) => start + (32 * column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal float Scale(int column) => ((float*)(start + Panel.ScaleAt(width)))[column];

    /// <summary>The negated sum of a column's quants; the next column's follows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int* MinusSums(int column) => (int*)(start + Panel.MinusSumAt(width)) + column;

    /// <summary>Of the first sixteen alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int* MinusLowers(int column) => (int*)(start + Panel.MinusLowerAt(width)) + column;

    /// <summary>Of the last sixteen alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int* MinusUppers(int column) => (int*)(start + Panel.MinusUpperAt(width)) + column;
}
