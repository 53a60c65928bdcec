using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Quantization;

namespace Pure.Engine.Memory;

/// <summary>
/// The keys and values of many sequences, in blocks of <see cref="BlockPositions"/> positions. Sequences hold block numbers; a block
/// may belong to several of them (equal prefixes) and is copied when one of them would write into it.
/// </summary>
/// <remarks>
/// The paging is that of vLLM (Kwon et al. 2023, arXiv:2309.06180, section 4). Within a block, what one head reads lies together: its keys of
/// all positions, then the next head's, then values alike.
/// <code>
/// | head 0: 64 keys | head 1: 64 keys | … | head 0: 64 values | head 1: 64 values | … |      a latent is one head without values
/// </code>
/// Not thread-safe: one user at a time.
/// </remarks>
public sealed class KvCache : IDisposable
{
    /// <summary>Positions in a block.</summary>
    public const int BlockPositions = 64;

    private readonly List<IDeviceCache> _onDevices = [];
    private readonly IDeviceCache?[] _deviceOf; // of each layer that is not in memory
    private readonly AlignedBuffer<byte>?[] _layers; // null of those on a device
    private readonly int[] _references;
    private readonly bool[] _isKept;
    private readonly int[] _free;
    private readonly int _rowBytes;
    private readonly int _keySize;
    private readonly int _valueSize;
    private readonly int _keyBytes;
    private readonly int _valueBytes;
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
        : this(shape, type, positions, valueType, largePages: true, [])
    {
    }

    /// <summary>The same, of which the keys and values of some layers lie on devices, unless these use those in memory.</summary>
    internal KvCache(
        CacheShape shape, CacheType type, int positions, CacheType? valueType, bool largePages, IReadOnlyList<DeviceLayers> onDevices)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(positions);
        Shape = shape;
        Type = type;
        ValueType = valueType ?? type;
        KeyFormat = Type.Format();
        ValueFormat = ValueType.Format();
        _rowBytes = checked((int)shape.RowBytes(Type, ValueType));
        _keySize = (Shape.Columns - Shape.ValueColumns) / Shape.Heads;
        _valueSize = Shape.ValueColumns / Shape.Heads;
        _keyBytes = (int)KeyFormat.RowBytes(_keySize);
        _valueBytes = (int)ValueFormat.RowBytes(_valueSize);
        Blocks = BlocksOf(positions);
        long layerBytes = (long)Blocks * BlockPositions * _rowBytes;
        _layers = new AlignedBuffer<byte>?[shape.Layers];
        _deviceOf = new IDeviceCache?[shape.Layers];
        try
        {
            foreach (DeviceLayers layers in onDevices)
            {
                if (layers.Device.CreateCache(shape, Blocks, layers.Layers) is not { } cache)
                    continue;
                _onDevices.Add(cache);
                foreach (int layer in layers.Layers)
                    _deviceOf[layer] = cache;
            }

            MemoryLimit.Require(
                layerBytes * _deviceOf.Count(cache => cache is null),
                $"a cache of {positions} positions",
                "use a shorter context or a --kv-type of fewer bits");
            for (int layer = 0; layer < _layers.Length; layer++)
                _layers[layer] = _deviceOf[layer] is null ? new AlignedBuffer<byte>(layerBytes, largePages) : null;
        }
        catch
        {
            Dispose();
            throw;
        }

        _references = new int[Blocks];
        _isKept = new bool[Blocks];
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

    /// <summary>Whether keys and values of some layers lie on devices.</summary>
    internal bool IsOnDevices => _onDevices.Count > 0;

    /// <summary>The format of keys.</summary>
    internal ElementFormat KeyFormat { get; }

    /// <summary>The format of values.</summary>
    internal ElementFormat ValueFormat { get; }

    /// <summary>Number of blocks.</summary>
    public int Blocks { get; }

    /// <summary>Blocks that no sequence holds.</summary>
    public int FreeBlocks => _freeCount;

    /// <summary>Blocks that no sequence holds and that are <see cref="Keep">kept</see>.</summary>
    internal int KeptBlocks { get; private set; }

    /// <summary>Parts of a block that lie together: each head's keys, then each head's values.</summary>
    internal int Parts => Shape.ValueColumns > 0 ? 2 * Shape.Heads : Shape.Heads;

    /// <summary>The keys and values that lie on a device; null where none do.</summary>
    internal IDeviceCache? On(IDevice device)
    {
        foreach (IDeviceCache cache in _onDevices)
        {
            if (cache.Device == device)
                return cache;
        }

        return null;
    }

    /// <summary>Starts an empty sequence.</summary>
    public Sequence CreateSequence() => new(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDeviceCache cache in _onDevices)
            cache.Dispose();
        foreach (AlignedBuffer<byte>? layer in _layers)
            layer?.Dispose();
    }

    /// <summary>Blocks that hold so many positions of a sequence.</summary>
    internal static int BlocksOf(int positions) => (positions + BlockPositions - 1) / BlockPositions;

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

    internal void Share(int block)
    {
        if (_references[block]++ == 1 && _isKept[block])
            KeptBlocks--;
    }

    internal bool IsShared(int block) => _references[block] > 1;

    internal void Release(int block)
    {
        int left = --_references[block];
        if (left == 0)
            _free[_freeCount++] = block;
        else if (left == 1 && _isKept[block])
            KeptBlocks++;
    }

    /// <summary>Keeps a block that a sequence holds for when none does any more.</summary>
    internal void Keep(int block)
    {
        Share(block);
        _isKept[block] = true;
    }

    /// <summary>Keeps a block no longer.</summary>
    internal void GiveUp(int block)
    {
        if (_references[block] == 1)
            KeptBlocks--;
        _isKept[block] = false;
        Release(block);
    }

    /// <summary>Copies the first <paramref name="positions"/> positions of a block, in every layer.</summary>
    internal void Copy(int from, int to, int positions)
    {
        foreach (IDeviceCache cache in _onDevices)
            cache.Copy(from, to, positions);
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            for (int part = 0; part < Parts && _layers[layer] is not null; part++)
                Stored(layer, from, part, 0, positions).CopyTo(Stored(layer, to, part, 0, positions));
        }
    }

    /// <summary>Bytes of one position in one layer.</summary>
    internal int RowBytes => _rowBytes;

    /// <summary>Bytes of one position in a part of a block.</summary>
    internal int PartBytes(int part) => part < Shape.Heads ? _keyBytes : _valueBytes;

    /// <summary><paramref name="count"/> positions of a part of a block, from <paramref name="offset"/> on, as they are stored.</summary>
    internal Span<byte> Stored(int layer, int block, int part, int offset, int count)
    {
        int bytes = PartBytes(part);
        return InMemory(layer).Writable(Start(block, part) + ((long)offset * bytes), count * bytes);
    }

    /// <summary>Stores one position's elements <c>[Columns]</c>: the keys of all heads, then their values.</summary>
    internal void Write(int layer, int block, int offset, ReadOnlySpan<float> row)
    {
        for (int part = 0, first = 0; part < Parts; part++)
        {
            bool areKeys = part < Shape.Heads;
            int size = areKeys ? _keySize : _valueSize;
            (areKeys ? KeyFormat : ValueFormat).Quantize(row.Slice(first, size), Stored(layer, block, part, offset, 1));
            first += size;
        }
    }

    /// <summary>
    /// <paramref name="count"/> positions of a block from <paramref name="offset"/> on, columns <paramref name="first"/> … of each, which
    /// are keys or values of one head.
    /// </summary>
    internal CacheRows Read(int layer, int block, int offset, int count, int first, int columns)
    {
        int keys = _keySize * Shape.Heads;
        bool areKeys = first < keys;
        ElementFormat format = areKeys ? KeyFormat : ValueFormat;
        (int head, int column) = Math.DivRem(areKeys ? first : first - keys, areKeys ? _keySize : _valueSize);
        int part = areKeys ? head : Shape.Heads + head;
        int bytes = PartBytes(part);
        long start = Start(block, part) + ((long)offset * bytes) + format.RowBytes(column);
        return new CacheRows(
            InMemory(layer).View.Slice(start, ((long)(count - 1) * bytes) + format.RowBytes(columns)), format.Type, bytes, columns, count);
    }

    private long Start(int block, int part)
    {
        int values = Math.Max(0, part - Shape.Heads);
        return BlockPositions * (((long)block * _rowBytes) + ((part - values) * _keyBytes) + (values * _valueBytes));
    }

    private AlignedBuffer<byte> InMemory(int layer) => _layers[layer] ?? throw new InvalidRequestException(
        $"Keys and values of layer {layer} lie on {_deviceOf[layer]!.Device.Name}, and only those in memory are kept in files; leave attention in "
        + "memory.");
}
