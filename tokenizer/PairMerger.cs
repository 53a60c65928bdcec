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
    private readonly PriorityQueue<Candidate, ulong> _candidates = new();
    private Symbol[] _symbols = new Symbol[32];
    private (int Previous, int Next)[] _links = new (int, int)[32];
    private int _count;

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
            Consider(rule, i, i + 1);
        while (_candidates.TryDequeue(out var candidate, out _))
        {
            ref var left = ref _symbols[candidate.Left];
            ref var right = ref _symbols[candidate.Right];
            // Symbols only grow or vanish, so an unchanged total means that neither has changed since.
            if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != candidate.Length)
                continue;

            left = new Symbol(candidate.Merged, left.Start, candidate.Length);
            right.Length = 0;
            int next = _links[candidate.Right].Next;
            _links[candidate.Left].Next = next;
            if (next < _count)
            {
                _links[next].Previous = candidate.Left;
                Consider(rule, candidate.Left, next);
            }
            int previous = _links[candidate.Left].Previous;
            if (previous >= 0)
                Consider(rule, previous, candidate.Left);
        }
    }

    private void Consider<TRule>(TRule rule, int left, int right) where TRule : struct, IMergeRule, allows ref struct
    {
        if (rule.TryMerge(_symbols[left], _symbols[right], out int merged, out uint urgency))
            _candidates.Enqueue(
                new(left, right, _symbols[left].Length + _symbols[right].Length, merged), (ulong)urgency << 32 | (uint)left);
    }

    private readonly record struct Candidate(int Left, int Right, int Length, int Merged);
}
