namespace Pure.Engine.Memory;

/// <summary>
/// Room for many matrices that live as long as their model, side by side in large allocations: an expert's matrix is often smaller than
/// a large page, and alone would lie in small ones. Not for several threads at once.
/// </summary>
/// <param name="largePages">Whether the system is asked for large pages.</param>
internal sealed class WeightArena(bool largePages) : IDisposable
{
    private const long ChunkBytes = 64 << 20;
    private const long CacheLine = 64;

    private readonly List<AlignedBuffer<byte>> _chunks = [];
    private NativeView _free;

    /// <summary>Zeroed room that begins at a cache line.</summary>
    /// <exception cref="InvalidRequestException">The machine has not that much memory.</exception>
    internal NativeView Take(long bytes)
    {
        long lines = (bytes + CacheLine - 1) / CacheLine * CacheLine;
        if (lines >= ChunkBytes)
            return Chunk(bytes);
        if (lines > _free.Length)
            _free = Chunk(ChunkBytes);
        NativeView room = _free.Slice(0, bytes);
        _free = _free.Slice(lines, _free.Length - lines);
        return room;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (AlignedBuffer<byte> chunk in _chunks)
            chunk.Dispose();
    }

    private NativeView Chunk(long bytes)
    {
        var chunk = new AlignedBuffer<byte>(bytes, largePages);
        _chunks.Add(chunk);
        return chunk.View;
    }
}
