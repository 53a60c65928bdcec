using ILGPU;
using Pure.Engine.Memory;

namespace Pure.Gpu.Kernels;

/// <summary>Which row of a layer's cache holds a position.</summary>
internal static class CachePlace
{
    internal static int Of(ArrayView<int> tables, RowPlace row, int position) =>
        (tables[row.Table + (position / KvCache.BlockPositions)] * KvCache.BlockPositions) + (position % KvCache.BlockPositions);
}
