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
    private readonly int _keyBytes;
    private int _freeCount;

    /// <summary>Makes room for <paramref name="positions"/> positions, rounded up to whole blocks. Pages are touched when written.</summary>
    /// <param name="shape">What a position costs.</param>
    /// <param name="type">How keys are stored.</param>
    /// <param name="positions">Positions of all sequences together.</param>
    /// <param name="valueType">How values are stored; null for as keys are.</param>
    /// <exception cref="InvalidRequestException">
    /// The machine has not that much memory, the blocks of a type do not fit the keys and values, or keys and values are one latent and the
    /// types two.
    /// </exception>
    public KvCache(CacheShape shape, CacheType type, int positions, CacheType? valueType = null)
        : this(shape, type, positions, valueType, largePages: true)
    {
    }

    internal KvCache(CacheShape shape, CacheType type, int positions, CacheType? valueType, bool largePages)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(positions);
        Shape = shape;
        Type = type;
        ValueType = valueType ?? type;
        KeyFormat = Type.Format();
        ValueFormat = ValueType.Format();
        _rowBytes = checked((int)shape.RowBytes(Type, ValueType));
        _keyBytes = (int)KeyFormat.RowBytes(KeyColumns);
        Blocks = (positions + BlockPositions - 1) / BlockPositions;
        long layerBytes = (long)Blocks * BlockPositions * _rowBytes;
        MemoryLimit.Require(layerBytes * shape.Layers, $"a cache of {positions} positions", "use a shorter context or a --kv-type of fewer bits");
        _layers = new AlignedBuffer<byte>[shape.Layers];
        for (int layer = 0; layer < _layers.Length; layer++)
            _layers[layer] = new AlignedBuffer<byte>(layerBytes, largePages);

        _references = new int[Blocks];
        _free = new int[Blocks];
        for (int block = 0; block < Blocks; block++)
            _free[block] = Blocks - 1 - block;
        _freeCount = Blocks;
    }

    /// <summary>What one position costs.</summary>
    public CacheShape Shape { get; }

    /// <summary>How keys are stored, or the latent that is key and value.</summary>
    public CacheType Type { get; }

    /// <summary>How values are stored.</summary>
    public CacheType ValueType { get; }

    /// <summary>The format of keys.</summary>
    internal ElementFormat KeyFormat { get; }

    /// <summary>The format of values.</summary>
    internal ElementFormat ValueFormat { get; }

    /// <summary>Number of blocks.</summary>
    public int Blocks { get; }

    /// <summary>Blocks that no sequence holds.</summary>
    public int FreeBlocks => _freeCount;

    private int KeyColumns => Shape.Columns - Shape.ValueColumns;

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
        Span<byte> stored = Stored(layer, block, offset, 1);
        KeyFormat.Quantize(row[..KeyColumns], stored[.._keyBytes]);
        if (Shape.ValueColumns > 0)
            ValueFormat.Quantize(row[KeyColumns..], stored[_keyBytes..]);
    }

    /// <summary>
    /// The bytes of <paramref name="count"/> positions of a block from <paramref name="offset"/> on, as they are stored: of each its keys,
    /// then its values.
    /// </summary>
    internal Span<byte> Stored(int layer, int block, int offset, int count) =>
        _layers[layer].Writable((((long)block * BlockPositions) + offset) * _rowBytes, count * _rowBytes);

    /// <summary>
    /// <paramref name="count"/> positions of a block from <paramref name="offset"/> on, columns <paramref name="first"/> … of each, which
    /// are keys or values.
    /// </summary>
    internal CacheRows Read(int layer, int block, int offset, int count, int first, int columns)
    {
        bool areKeys = first < KeyColumns;
        ElementFormat format = areKeys ? KeyFormat : ValueFormat;
        long column = areKeys ? format.RowBytes(first) : _keyBytes + format.RowBytes(first - KeyColumns);
        long start = ((((long)block * BlockPositions) + offset) * _rowBytes) + column;
        long length = ((long)(count - 1) * _rowBytes) + format.RowBytes(columns);
        return new CacheRows(_layers[layer].View.Slice(start, length), format.Type, _rowBytes, columns, count);
    }
}
