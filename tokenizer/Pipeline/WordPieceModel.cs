namespace Pure.Tokenizers.Pipeline;

/// <summary>
/// WordPiece: the longest token that begins a word, then the longest that carries it on, to its end; a word that does not
/// come out is unknown as a whole (Wu et al. 2016, "Google's Neural Machine Translation System", §4.1; in BERT's greedy form).
/// </summary>
internal sealed class WordPieceModel : SubwordModel
{
    private readonly TokenTree _starts;
    private readonly TokenTree _continuations;
    private readonly int _unknown;
    private readonly int _longestWord;

    /// <param name="tokens">All tokens.</param>
    /// <param name="startPrefix">What marks tokens that begin a word.</param>
    /// <param name="continuationPrefix">What marks tokens that carry a word on.</param>
    /// <param name="unknown">The token for a word that does not come out.</param>
    /// <param name="longestWord">How many code points a word may have.</param>
    public WordPieceModel(
        IEnumerable<(string Text, int Id)> tokens, string startPrefix, string continuationPrefix, int unknown, int longestWord)
    {
        _starts = Tree(startPrefix);
        _continuations = Tree(continuationPrefix);
        (_unknown, _longestWord) = (unknown, longestWord);

        TokenTree Tree(string prefix) => new(
            from token in tokens
            where token.Text.Length > prefix.Length && token.Text.StartsWith(prefix, StringComparison.Ordinal)
            select (token.Text[prefix.Length..], token.Id));
    }

    public override void Encode(ReadOnlySpan<char> word, PairMerger merger, List<int> destination)
    {
        int before = destination.Count;
        bool isUnknown = word.Length > _longestWord && CountCodePoints(word) > _longestWord;
        for (int at = 0; at < word.Length && !isUnknown;)
        {
            var search = (at == 0 ? _starts : _continuations).From();
            int longest = -1;
            int end = at;
            for (int i = at; i < word.Length && search.Advance(word[i], out int id); i++)
            {
                if (id >= 0)
                    (longest, end) = (id, i + 1);
            }
            isUnknown = longest < 0;
            destination.Add(longest);
            at = end;
        }
        if (!isUnknown)
            return;
        destination.RemoveRange(before, destination.Count - before);
        destination.Add(_unknown);
    }

    private static int CountCodePoints(ReadOnlySpan<char> word)
    {
        int count = 0;
        foreach (char unit in word)
            count += char.IsLowSurrogate(unit) ? 0 : 1;
        return count;
    }
}
