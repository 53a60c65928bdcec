using Pure.Engine.Kernels;
using Pure.Engine.Quantization;

namespace Pure.Engine.Memory;

/// <summary>
/// The keys and values of many sequences, in blocks of <see cref="BlockPositions"/> positions. Sequences hold block numbers; a block
/// may belong to several of them (equal prefixes) and is copied when one of them would write into it.
/// </summary>
/// <remarks>The paging is that of vLLM (Kwon et al. 2023, arXiv:2309.06180, section 4). Not thread-safe: one user at a time.</remarks>
public sealed class KvCache : IDisposable
{
    /// <summary>Positions in a block.</summary>
    public const int BlockPositions = 64;

    private readonly AlignedBuffer<byte>[] _layers;
    private readonly int[] _references;
    private readonly int[] _free;
    private readonly int _rowBytes;
    private int _freeCount;

    /// <summary>Makes room for <paramref name="positions"/> positions, rounded up to whole blocks. Pages are touched when written.</summary>
    /// <exception cref="InvalidRequestException">
    /// The machine has not that much memory, or the type's blocks do not fit the keys and values.
    /// </exception>
    public KvCache(CacheShape shape, CacheType type, int positions)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(positions);
        Shape = shape;
        Type = type;
        Format = type.Format();
        _rowBytes = checked((int)shape.RowBytes(type));
        Blocks = (positions + BlockPositions - 1) / BlockPositions;
        long layerBytes = (long)Blocks * BlockPositions * _rowBytes;
        MemoryLimit.Require(layerBytes * shape.Layers, $"a cache of {positions} positions", "use a shorter context or a --kv-type of fewer bits");
        _layers = new AlignedBuffer<byte>[shape.Layers];
        for (int layer = 0; layer < _layers.Length; layer++)
            _layers[layer] = new AlignedBuffer<byte>(layerBytes);

        _references = new int[Blocks];
        _free = new int[Blocks];
        for (int block = 0; block < Blocks; block++)
            _free[block] = Blocks - 1 - block;
        _freeCount = Blocks;
    }

    /// <summary>What one position costs.</summary>
    public CacheShape Shape { get; }

    /// <summary>How elements are stored.</summary>
    public CacheType Type { get; }

    /// <summary>The format of the elements.</summary>
    internal ElementFormat Format { get; }

    /// <summary>Number of blocks.</summary>
    public int Blocks { get; }

    /// <summary>Blocks that no sequence holds.</summary>
    public int FreeBlocks => _freeCount;

    /// <summary>Starts an empty sequence.</summary>
    public Sequence CreateSequence() => new(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (AlignedBuffer<byte> layer in _layers)
            layer.Dispose();
    }

    internal int Take()
    {
        if (_freeCount == 0)
        {
            throw new InvalidRequestException(
                $"The key/value cache of {Blocks * BlockPositions} positions is full; end a sequence or make a larger cache.");
        }

        int block = _free[--_freeCount];
        _references[block] = 1;
        return block;
    }

    internal void Share(int block) => _references[block]++;

    internal bool IsShared(int block) => _references[block] > 1;

    internal void Release(int block)
    {
        if (--_references[block] == 0)
            _free[_freeCount++] = block;
    }

    /// <summary>Copies the first <paramref name="positions"/> positions of a block, in every layer.</summary>
    internal void Copy(int from, int to, int positions)
    {
        long blockBytes = (long)BlockPositions * _rowBytes;
        int bytes = positions * _rowBytes;
        foreach (AlignedBuffer<byte> layer in _layers)
            layer.View.AsSpan(from * blockBytes, bytes).CopyTo(layer.Writable(to * blockBytes, bytes));
    }

    /// <summary>Bytes of one position in one layer.</summary>
    internal int RowBytes => _rowBytes;

    /// <summary>The first <paramref name="positions"/> positions of a block in one layer, as they are stored.</summary>
    internal Span<byte> Stored(int layer, int block, int positions) =>
        _layers[layer].Writable((long)block * BlockPositions * _rowBytes, positions * _rowBytes);

    /// <summary>Stores one position's elements <c>[Columns]</c>.</summary>
    internal void Write(int layer, int block, int offset, ReadOnlySpan<float> row)
    {
        Format.Quantize(row, _layers[layer].Writable((((long)block * BlockPositions) + offset) * _rowBytes, _rowBytes));
    }

    /// <summary>
    /// <paramref name="count"/> positions of a block from <paramref name="offset"/> on, columns <paramref name="first"/> … of each.
    /// </summary>
    internal CacheRows Read(int layer, int block, int offset, int count, int first, int columns)
    {
        long start = ((((long)block * BlockPositions) + offset) * _rowBytes) + Format.RowBytes(first);
        long length = ((long)(count - 1) * _rowBytes) + Format.RowBytes(columns);
        return new CacheRows(_layers[layer].View.Slice(start, length), Format.Type, Shape.Columns, columns, count);
    }
}
