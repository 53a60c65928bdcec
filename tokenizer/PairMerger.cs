namespace Pure.Tokenizers;

/// <summary>A stretch of text that is one token so far.</summary>
/// <param name="Id">What it is, to the rule; negative if nothing yet.</param>
/// <param name="Start">Where it begins in the text that the rule works on.</param>
/// <param name="Length">Its length there; 0 once it has been merged into its left neighbour.</param>
internal record struct Symbol(int Id, int Start, int Length);

/// <summary>Says which neighbours may become one symbol.</summary>
internal interface IMergeRule
{
    /// <summary>Whether the two may merge; then what they become, and how urgently (0 is the most urgent).</summary>
    bool TryMerge(in Symbol left, in Symbol right, out int merged, out uint urgency);
}

/// <summary>
/// Merges neighbouring symbols, always the most urgent pair, the leftmost among equals, until no pair may merge: the loop of
/// byte-pair encoding (Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units", §3.2), and
/// with scores for ranks that of SentencePiece's BPE model. A heap of candidates makes it n log n. The instance is scratch:
/// it serves one text after the other, on one thread.
/// </summary>
internal sealed class PairMerger
{
    private Symbol[] _symbols = new Symbol[32];
    private (int Previous, int Next)[] _links = new (int, int)[32];
    private int _count;

    /// <summary>A heap, the smallest first, of the left symbols of pairs that may merge: urgency in the upper half, index in
    /// the lower. Entries are not removed when a merge beside them makes them stale.</summary>
    private ulong[] _heap = new ulong[32];
    private int _heapCount;

    /// <summary>The symbols, merged ones with length 0.</summary>
    public ReadOnlySpan<Symbol> Symbols => _symbols.AsSpan(0, _count);

    public void Clear() => _count = 0;

    public void Add(Symbol symbol)
    {
        if (_count == _symbols.Length)
        {
            Array.Resize(ref _symbols, 2 * _count);
            Array.Resize(ref _links, 2 * _count);
        }
        _symbols[_count] = symbol;
        _links[_count] = (_count - 1, _count + 1);
        _count++;
    }

    public void Merge<TRule>(TRule rule) where TRule : struct, IMergeRule, allows ref struct
    {
        for (int i = 0; i + 1 < _count; i++)
            Consider(rule, i);
        while (_heapCount > 0)
        {
            ulong entry = Pop();
            int index = (int)(uint)entry;
            int next = _links[index].Next;
            ref var left = ref _symbols[index];
            // An entry is stale when its symbol is gone or its pair now merges at another urgency (or not at all); the pair
            // that stands there now has an entry of its own.
            if (left.Length == 0 || next == _count || !rule.TryMerge(left, _symbols[next], out int merged, out uint urgency)
                || urgency != (uint)(entry >> 32))
                continue;

            left = new Symbol(merged, left.Start, left.Length + _symbols[next].Length);
            _symbols[next].Length = 0;
            next = _links[next].Next;
            _links[index].Next = next;
            if (next < _count)
            {
                _links[next].Previous = index;
                Consider(rule, index);
            }
            int previous = _links[index].Previous;
            if (previous >= 0)
                Consider(rule, previous);
        }
    }

    /// <summary>Enters the pair that begins at <paramref name="left"/>, if it may merge.</summary>
    private void Consider<TRule>(TRule rule, int left) where TRule : struct, IMergeRule, allows ref struct
    {
        if (rule.TryMerge(_symbols[left], _symbols[_links[left].Next], out _, out uint urgency))
            Push((ulong)urgency << 32 | (uint)left);
    }

    private void Push(ulong entry)
    {
        if (_heapCount == _heap.Length)
            Array.Resize(ref _heap, 2 * _heapCount);
        int at = _heapCount++;
        while (at > 0 && _heap[(at - 1) / 4] > entry)
        {
            _heap[at] = _heap[(at - 1) / 4];
            at = (at - 1) / 4;
        }
        _heap[at] = entry;
    }

    private ulong Pop()
    {
        var heap = _heap.AsSpan(0, --_heapCount);
        ulong smallest = _heap[0];
        ulong moved = _heap[_heapCount];
        int at = 0;
        while (4 * at + 1 < heap.Length)
        {
            int child = 4 * at + 1;
            for (int other = child + 1; other < heap.Length && other < 4 * at + 5; other++)
                child = heap[other] < heap[child] ? other : child;
            if (heap[child] >= moved)
                break;
            heap[at] = heap[child];
            at = child;
        }
        if (at < heap.Length)
            heap[at] = moved;
        return smallest;
    }
}
