using System.Buffers;
using System.Text;

namespace Pure.Tokenizers.Pipeline;

/// <summary>
/// The unigram language model: of all ways to cut a word into tokens the one with the highest sum of scores, found with
/// Viterbi's algorithm (Kudo 2018, "Subword Regularization: Improving Neural Network Translation Models with Multiple
/// Subword Candidates", §3.2). A character that is no token costs ten more than the worst token.
/// </summary>
internal sealed class UnigramModel : SubwordModel
{
    private const double UnknownPenalty = 10;

    private readonly TokenTree _tokens;
    private readonly double[] _scores;
    private readonly double _unknownScore;
    private readonly int _unknown;

    /// <summary>The token of each byte; null if unknown characters are not spelt in bytes.</summary>
    private readonly int[]? _byteTokens;

    /// <param name="texts">The text of each token; the index is the id.</param>
    /// <param name="scores">The score of each, logarithms of probabilities.</param>
    /// <param name="unknown">The token for characters that are no token, or -1: they are then left out.</param>
    /// <param name="byteTokens">The token of each byte, or null.</param>
    public UnigramModel(string[] texts, double[] scores, int unknown, int[]? byteTokens)
    {
        _tokens = new TokenTree(Enumerable.Range(0, texts.Length).Where(id => texts[id].Length > 0).Select(id => (texts[id], id)));
        _scores = scores;
        _unknownScore = scores.DefaultIfEmpty(0).Min() - UnknownPenalty;
        (_unknown, _byteTokens) = (unknown, byteTokens);
    }

    public override void Encode(ReadOnlySpan<char> word, PairMerger merger, List<int> destination)
    {
        var best = ArrayPool<Step>.Shared.Rent(word.Length + 1);
        best.AsSpan(0, word.Length + 1).Fill(new Step(double.NegativeInfinity, -1, -1));
        best[0] = new Step(0, -1, -1);
        for (int at = 0; at < word.Length;)
        {
            int next = at + (char.IsHighSurrogate(word[at]) ? 2 : 1);
            bool isToken = false;
            var search = _tokens.From();
            for (int i = at; i < word.Length && search.Advance(word[i], out int id); i++)
            {
                if (id < 0 || char.IsHighSurrogate(word[i]))
                    continue;
                Offer(ref best[i + 1], new(best[at].Score + _scores[id], at, id));
                isToken |= i + 1 == next;
            }
            if (!isToken)
                Offer(ref best[next], new(best[at].Score + _unknownScore, at, _unknown));
            at = next;
        }

        int before = destination.Count;
        for (int end = word.Length; end > 0;)
        {
            var (_, start, id) = best[end];
            if (id != _unknown || start < 0)
            {
                destination.Add(id);
                end = start;
                continue;
            }
            int stop = end;
            while (end > 0 && best[end].Token == _unknown)
                end = best[end].Start;
            AppendUnknown(word[end..stop], destination);
        }
        destination.Reverse(before, destination.Count - before);
        ArrayPool<Step>.Shared.Return(best);
    }

    private static void Offer(ref Step best, Step step)
    {
        if (best.Start < 0 || step.Score > best.Score)
            best = step;
    }

    /// <summary>Adds what stands for a run of unknown characters, last byte first.</summary>
    private void AppendUnknown(ReadOnlySpan<char> characters, List<int> destination)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(characters.ToArray());
        if (_byteTokens is null || bytes.Any(value => _byteTokens[value] < 0))
        {
            if (_unknown >= 0)
                destination.Add(_unknown);
            return;
        }
        for (int i = bytes.Length - 1; i >= 0; i--)
            destination.Add(_byteTokens[bytes[i]]);
    }

    /// <summary>The best way to a place in the word.</summary>
    /// <param name="Score">The sum of its scores.</param>
    /// <param name="Start">Where its last token begins; -1 if no way has been found.</param>
    /// <param name="Token">Its last token.</param>
    private readonly record struct Step(double Score, int Start, int Token);
}
