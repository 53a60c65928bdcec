using System.Text;

namespace Pure.Tokenizers.Pipeline;

/// <summary>How <see cref="BytePairModel"/> treats words and what is no token.</summary>
internal sealed record BytePairOptions
{
    /// <summary>The token for a character that is none, or -1: it is then left out.</summary>
    public int Unknown { get; init; } = -1;

    /// <summary>Whether neighbours that are unknown share one token.</summary>
    public bool FusesUnknown { get; init; }

    /// <summary>The token of each byte (-1: none), for characters that are no token; null: they are unknown.</summary>
    public int[]? ByteTokens { get; init; }

    /// <summary>Whether a word that is a token is that token, whatever the merges say.</summary>
    public bool IgnoresMerges { get; init; }

    /// <summary>What marks symbols that do not begin a word.</summary>
    public string ContinuationPrefix { get; init; } = "";

    /// <summary>What marks symbols that end a word.</summary>
    public string WordSuffix { get; init; } = "";
}

/// <summary>
/// Byte-pair encoding: the characters of a word, or their bytes, joined by merges in the order of their rank (Sennrich et
/// al. 2016, "Neural Machine Translation of Rare Words with Subword Units", §3.2).
/// </summary>
internal sealed class BytePairModel(
    Dictionary<string, int> ids, MergeTable merges, BytePairOptions options) : SubwordModel
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids = ids.GetAlternateLookup<ReadOnlySpan<char>>();

    public override void Encode(ReadOnlySpan<char> word, PairMerger merger, List<int> destination)
    {
        if (options.IgnoresMerges && _ids.TryGetValue(word, out int whole))
        {
            destination.Add(whole);
            return;
        }

        merger.Clear();
        bool wasUnknown = false;
        for (int start = 0; start < word.Length;)
        {
            int length = char.IsHighSurrogate(word[start]) ? 2 : 1;
            bool isKnown = TryFind(word, start, length, out int id);
            if (isKnown)
                merger.Add(new Symbol(id, start, length));
            else if (TryAddBytes(word.Slice(start, length), start, merger))
                isKnown = true;
            else if (options.Unknown >= 0 && !(wasUnknown && options.FusesUnknown))
                merger.Add(new Symbol(options.Unknown, start, length));
            wasUnknown = !isKnown;
            start += length;
        }
        merger.Merge(merges);
        foreach (var symbol in merger.Symbols)
        {
            if (symbol.Length > 0)
                destination.Add(symbol.Id);
        }
    }

    private bool TryFind(ReadOnlySpan<char> word, int start, int length, out int id)
    {
        var character = word.Slice(start, length);
        string prefix = start > 0 ? options.ContinuationPrefix : "";
        string suffix = start + length == word.Length ? options.WordSuffix : "";
        return prefix.Length + suffix.Length == 0
            ? _ids.TryGetValue(character, out id)
            : ids.TryGetValue($"{prefix}{character}{suffix}", out id);
    }

    private bool TryAddBytes(ReadOnlySpan<char> character, int start, PairMerger merger)
    {
        if (options.ByteTokens is not { } tokens)
            return false;
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..Encoding.UTF8.GetBytes(character, bytes)];
        foreach (byte value in bytes)
        {
            if (tokens[value] < 0)
                return false;
        }
        foreach (byte value in bytes)
            merger.Add(new Symbol(tokens[value], start, 1));
        return true;
    }
}
