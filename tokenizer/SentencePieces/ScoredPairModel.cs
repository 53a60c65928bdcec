using System.Text;
using Pure.Tokenizers.Pipeline;

namespace Pure.Tokenizers.SentencePieces;

/// <summary>SentencePiece's BPE model: neighbours whose join is a token merge, the highest score first; characters that are
/// no token become byte tokens, or unknown.</summary>
internal sealed class ScoredPairModel : SubwordModel
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly float[] _scores;
    private readonly int _longestToken;
    private readonly int[]? _byteTokens;
    private readonly int _unknown;

    /// <param name="ids">The tokens that text may become.</param>
    /// <param name="scores">The score of each id.</param>
    /// <param name="byteTokens">The token of each byte; null if unknown characters are not spelt in bytes.</param>
    /// <param name="unknown">Then, the token that stands for a run of them; -1 if they are left out.</param>
    public ScoredPairModel(Dictionary<string, int> ids, float[] scores, int[]? byteTokens, int unknown)
    {
        _ids = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _longestToken = ids.Keys.Select(text => text.Length).DefaultIfEmpty(0).Max();
        (_scores, _byteTokens, _unknown) = (scores, byteTokens, unknown);
    }

    public override void Encode(ReadOnlySpan<char> word, PairMerger merger, List<int> destination)
    {
        merger.Clear();
        for (int start = 0; start < word.Length;)
        {
            int length = char.IsHighSurrogate(word[start]) ? 2 : 1;
            merger.Add(new Symbol(-1, start, length));
            start += length;
        }
        merger.Merge(new ScoreRule(word, _ids, _scores, _longestToken));
        bool wasUnknown = false;
        Span<byte> bytes = stackalloc byte[4];
        foreach (var symbol in merger.Symbols)
        {
            if (symbol.Length == 0)
                continue;
            var characters = word.Slice(symbol.Start, symbol.Length);
            bool isToken = _ids.TryGetValue(characters, out int id);
            if (isToken)
            {
                destination.Add(id);
            }
            else if (_byteTokens is not null)
            {
                foreach (byte value in bytes[..Encoding.UTF8.GetBytes(characters, bytes)])
                    destination.Add(_byteTokens[value]);
            }
            else if (!wasUnknown && _unknown >= 0)
            {
                destination.Add(_unknown);
            }
            wasUnknown = !isToken;
        }
    }

    private readonly ref struct ScoreRule(
        ReadOnlySpan<char> text, Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids, float[] scores,
        int longestToken) : IMergeRule
    {
        private readonly ReadOnlySpan<char> _text = text;

        public bool TryMerge(in Symbol left, in Symbol right, out int merged, out uint urgency)
        {
            int length = left.Length + right.Length;
            urgency = 0;
            merged = -1;
            if (length > longestToken || !ids.TryGetValue(_text.Slice(left.Start, length), out merged))
                return false;
            // Floats sort as their bits do once negative ones are flipped whole and the others in the sign; adding zero
            // makes -0 equal to 0. The highest score is the most urgent, so the order is then turned about.
            int bits = BitConverter.SingleToInt32Bits(scores[merged] + 0f);
            uint ascending = (uint)(bits < 0 ? ~bits : bits ^ int.MinValue);
            urgency = ~ascending;
            return true;
        }
    }
}
