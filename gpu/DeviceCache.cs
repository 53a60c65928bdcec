using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>
/// The keys and values, or latents, of those layers that are on the device: the same blocks as the engine's cache, under the same numbers. A
/// position's row is what <see cref="CacheShape"/> says, at half precision or single, in words of 32 bits.
/// </summary>
internal sealed class DeviceCache : IDisposable
{
    private readonly GpuQueue _queue;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense>?[] _layers;
    private readonly long _rowWords;

    /// <param name="queue">The device.</param>
    /// <param name="shape">What a position costs in a layer; its columns are a multiple of eight.</param>
    /// <param name="type">How elements are stored, a type that <see cref="Takes"/>.</param>
    /// <param name="blocks">Blocks of <see cref="KvCache.BlockPositions"/> positions.</param>
    /// <param name="layers">The layers that are on the device.</param>
    internal DeviceCache(GpuQueue queue, CacheShape shape, CacheType type, int blocks, ReadOnlySpan<int> layers)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(shape.Columns % 8, 0, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfNotEqual(Takes(type), true, nameof(type));
        _queue = queue;
        Type = type;
        _rowWords = RowWords(shape, type);
        _layers = new MemoryBuffer1D<uint, Stride1D.Dense>?[shape.Layers];
        try
        {
            foreach (int layer in layers)
                _layers[layer] = queue.Allocate<uint>(blocks * KvCache.BlockPositions * _rowWords);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How elements are stored.</summary>
    internal CacheType Type { get; }

    /// <summary>Whether the device stores elements of a type.</summary>
    internal static bool Takes(CacheType type) => type is CacheType.F16 or CacheType.F32;

    /// <summary>Bytes that a layer takes on the device.</summary>
    internal static long LayerBytes(CacheShape shape, CacheType type, int blocks) =>
        blocks * KvCache.BlockPositions * RowWords(shape, type) * sizeof(uint);

    /// <summary>A layer's rows <c>[blocks · 64, columns]</c>.</summary>
    internal ArrayView<uint> Layer(int layer) => _layers[layer]!.View;

    /// <summary>Copies the first <paramref name="positions"/> positions of a block, in every layer that is here.</summary>
    internal void Copy(int fromBlock, int toBlock, int positions)
    {
        long words = positions * _rowWords;
        foreach (MemoryBuffer1D<uint, Stride1D.Dense>? layer in _layers)
        {
            if (layer is null)
                continue;
            ArrayView<uint> rows = layer.View;
            rows.SubView(toBlock * KvCache.BlockPositions * _rowWords, words)
                .CopyFrom(_queue.Stream, rows.SubView(fromBlock * KvCache.BlockPositions * _rowWords, words));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (MemoryBuffer1D<uint, Stride1D.Dense>? layer in _layers)
            layer?.Dispose();
    }

    private static long RowWords(CacheShape shape, CacheType type) =>
        type == CacheType.F16 ? default(StoredF16).Words(shape.Columns) : default(StoredF32).Words(shape.Columns);
}
