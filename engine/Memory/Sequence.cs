namespace Pure.Engine.Memory;

/// <summary>One text in the cache: which blocks hold its positions, and how many positions it has.</summary>
public sealed class Sequence : IDisposable
{
    private readonly int[] _blocks;
    private int _blockCount;
    private bool _disposed;

    internal Sequence(KvCache cache)
    {
        Cache = cache;
        _blocks = new int[cache.Blocks];
    }

    /// <summary>The cache it lives in.</summary>
    public KvCache Cache { get; }

    /// <summary>Positions whose keys and values are in the cache.</summary>
    public int Length { get; private set; }

    /// <summary>
    /// How many positions are the prompt's: all, until told otherwise. Those after it are being written. Only a model that reads prompts in
    /// another form (<see cref="Models.LatentForm.Expanded"/>) makes a difference between the two, and then bits depend on where the prompt ends.
    /// </summary>
    public int PromptLength { get; set; } = int.MaxValue;

    /// <summary>A sequence with the same past, sharing its blocks until one of the two writes.</summary>
    public Sequence Fork()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var fork = new Sequence(Cache) { Length = Length, PromptLength = PromptLength, _blockCount = _blockCount };
        for (int index = 0; index < _blockCount; index++)
        {
            fork._blocks[index] = _blocks[index];
            Cache.Share(_blocks[index]);
        }

        return fork;
    }

    /// <summary>Forgets every position from <paramref name="length"/> on.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
        Discard();
    }

    /// <summary>Gives its blocks back.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        Truncate(0);
        _disposed = true;
    }

    /// <summary>Makes the positions up to <paramref name="length"/> writable: takes blocks, and copies a shared last one.</summary>
    internal void Reserve(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int partial = Length % KvCache.BlockPositions;
        int last = Length / KvCache.BlockPositions;
        if (length > Length && partial > 0 && Cache.IsShared(_blocks[last]))
        {
            int copy = Cache.Take();
            Cache.Copy(_blocks[last], copy, partial);
            Cache.Release(_blocks[last]);
            _blocks[last] = copy;
        }

        while (_blockCount < KvCache.BlocksOf(length))
            _blocks[_blockCount++] = Cache.Take();
    }

    /// <summary>Blocks that <see cref="Reserve"/> would take for so many positions.</summary>
    internal int BlocksToReach(int length)
    {
        bool copies = length > Length && Length % KvCache.BlockPositions > 0 && Cache.IsShared(_blocks[Length / KvCache.BlockPositions]);
        return Math.Max(0, KvCache.BlocksOf(length) - _blockCount) + (copies ? 1 : 0);
    }

    /// <summary>Goes on with a full block that another text has computed. It must end with a block.</summary>
    internal void Adopt(int block)
    {
        Cache.Share(block);
        _blocks[_blockCount++] = block;
        Length += KvCache.BlockPositions;
    }

    /// <summary>Takes a block of equal contents in the place of its own.</summary>
    internal void Replace(int index, int block)
    {
        Cache.Share(block);
        Cache.Release(_blocks[index]);
        _blocks[index] = block;
    }

    /// <summary>Says that positions up to <paramref name="length"/> have been written.</summary>
    internal void Advance(int length) => Length = length;

    /// <summary>Stores one reserved position's elements of one layer.</summary>
    internal void Write(int layer, int position, ReadOnlySpan<float> row) =>
        Cache.Write(layer, _blocks[position / KvCache.BlockPositions], position % KvCache.BlockPositions, row);

    /// <summary>Gives back the blocks that were reserved and not written.</summary>
    internal void Discard()
    {
        int keep = KvCache.BlocksOf(Length);
        while (_blockCount > keep)
            Cache.Release(_blocks[--_blockCount]);
    }

    /// <summary>
    /// A part (<see cref="KvCache.Parts"/>) of reserved positions of one layer, as they are stored: from <paramref name="position"/>, the first of
    /// a block, on within that block.
    /// </summary>
    internal Span<byte> Stored(int layer, int position, int part, int count) =>
        Cache.Stored(layer, _blocks[position / KvCache.BlockPositions], part, 0, count);

    internal int Block(int index) => _blocks[index];

    /// <summary>Copies the numbers of its blocks, in the order of positions, for a cache elsewhere that has the same blocks.</summary>
    /// <returns>How many there are.</returns>
    internal int CopyBlocks(Span<int> blocks)
    {
        _blocks.AsSpan(0, _blockCount).CopyTo(blocks);
        return _blockCount;
    }
}
