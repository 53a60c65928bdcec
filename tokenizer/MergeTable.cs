namespace Pure.Tokenizers;

/// <summary>The merges of byte-pair encoding: which pairs of symbols become which symbol, and in what order of
/// urgency.</summary>
internal readonly struct MergeTable(int capacity) : IMergeRule
{
    private readonly Dictionary<ulong, (int Rank, int Merged)> _merges = new(capacity);

    /// <summary>Adds a merge, unless the pair has one.</summary>
    public void TryAdd(int left, int right, int rank, int merged) => _merges.TryAdd(Pair(left, right), (rank, merged));

    /// <summary>Adds a merge, in the place of one that the pair may have.</summary>
    public void Set(int left, int right, int rank, int merged) => _merges[Pair(left, right)] = (rank, merged);

    public bool TryMerge(in Symbol left, in Symbol right, out int merged, out uint urgency)
    {
        bool found = _merges.TryGetValue(Pair(left.Id, right.Id), out var merge);
        (urgency, merged) = ((uint)merge.Rank, merge.Merged);
        return found;
    }

    /// <summary>A key of its own for each pair. The odd factor keeps it so and mixes the bits: the hash of a plain
    /// <see cref="ulong"/> is its halves xor-ed, the same for every pair of equals.</summary>
    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32 | (uint)right) * 0x9E3779B97F4A7C15;
}
