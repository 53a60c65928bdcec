using System.Collections.Concurrent;

namespace Pure.Tokenizers;

/// <summary>The ids of words met before. It changes nothing but the time; threads may share it.</summary>
internal sealed class WordCache
{
    /// <summary>Longer words are rare and not worth remembering.</summary>
    private const int LongestWord = 32;

    private const int MostWords = 1 << 16;

    private readonly ConcurrentDictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private int _count;

    public WordCache() => _bySpan = _words.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Adds the ids of a word to a list, if they are known.</summary>
    public bool TryAppend(ReadOnlySpan<char> word, List<int> destination)
    {
        if (word.Length > LongestWord || !_bySpan.TryGetValue(word, out int[]? ids))
            return false;
        destination.AddRange(ids);
        return true;
    }

    /// <summary>Remembers a word's ids: those that a list has from an index on.</summary>
    public void Remember(ReadOnlySpan<char> word, List<int> ids, int start)
    {
        if (word.Length <= LongestWord && _count < MostWords && _words.TryAdd(word.ToString(), [.. ids[start..]]))
            Interlocked.Increment(ref _count);
    }
}
