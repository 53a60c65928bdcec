using Pure.Tokenizers.Pipeline;

namespace Pure.Tokenizers.SentencePieces;

/// <summary>
/// Finds the words of a text in which blanks are <c>▁</c>: the stretches that no token crosses. Tokens have blanks only in
/// front, as a rule; where one has a blank after some other character, a text is not cut between the two.
/// </summary>
internal sealed class WordStarts : Matcher
{
    private const char Blank = SentencePieceNormalizer.Blank;

    /// <summary>The characters that some token has right before a blank.</summary>
    private readonly HashSet<char> _joinedToBlank = [];

    public WordStarts(IEnumerable<string> tokens)
    {
        foreach (string token in tokens)
        {
            for (int blank = token.IndexOf(Blank, 1 <= token.Length ? 1 : 0); blank > 0; blank = token.IndexOf(Blank, blank + 1))
                _joinedToBlank.Add(token[blank - 1]);
        }
    }

    /// <summary>Whether a word begins at an index above 0.</summary>
    public bool BeginsWord(ReadOnlySpan<char> text, int at) =>
        text[at] == Blank && text[at - 1] != Blank && !_joinedToBlank.Contains(text[at - 1]);

    public override void Find(string text, int start, int end, List<(int Start, int End)> matches)
    {
        for (int at = start + 1; at <= end; at++)
        {
            if (at < end && !BeginsWord(text, at))
                continue;
            matches.Add((start, at));
            start = at;
        }
    }
}
