using System.Buffers;
using System.Text;

namespace Pure.Tokenizers;

/// <summary>
/// The tokenizer that GGUF calls <c>llama</c>: SentencePiece's BPE model (Kudo &amp; Richardson 2018, "SentencePiece: A simple
/// and language independent subword tokenizer"). Blanks become <c>▁</c>; neighbours whose join is a token merge, the
/// highest score first; characters that are no token become byte tokens.
/// </summary>
internal sealed class SentencePieceTokenizer : FragmentTokenizer
{
    private const char Blank = '▁';

    private readonly float[] _scores;

    /// <summary>The token of each byte; the unknown token for one that has none.</summary>
    private readonly int[] _byteTokens = new int[256];

    private readonly bool _addsSpacePrefix;
    private readonly int _longestToken;

    /// <summary>The characters that some token has right before a blank; usually none, since tokens have blanks only in
    /// front. No token reaches from any other character over the blank after it, so text may be cut there.</summary>
    private readonly HashSet<char> _joinedToBlank = [];
    private readonly WordCache _words = new();

    public SentencePieceTokenizer(VocabularyData data)
        : base(data, new Vocabulary(data, Spelt, hasDefaultIds: true), addsBos: true)
    {
        _scores = data.Scores is { } scores ? [.. scores] : new float[VocabularySize];
        _addsSpacePrefix = data.AddSpacePrefix ?? true;
        for (int id = 0; id < VocabularySize; id++)
        {
            string text = TokenText(id);
            _longestToken = Math.Max(_longestToken, text.Length);
            for (int blank = text.IndexOf(Blank, 1); blank > 0; blank = text.IndexOf(Blank, blank + 1))
                _joinedToBlank.Add(text[blank - 1]);
        }
        for (int value = 0; value < 256; value++)
        {
            bool found = Vocabulary.TryFind($"<0x{value:X2}>", out int id)
                || value < 0x80 && Vocabulary.TryFind(((char)value).ToString(), out id);
            _byteTokens[value] = found ? id : Unknown!.Value;
        }
    }

    internal override bool DropsLeadingSpace => _addsSpacePrefix;

    private protected override void EncodeFragment(
        ReadOnlySpan<char> text, bool afterSpecial, PairMerger merger, List<int> destination)
    {
        int prefix = _addsSpacePrefix && afterSpecial ? 1 : 0;
        char[] rented = ArrayPool<char>.Shared.Rent(prefix + text.Length);
        var escaped = rented.AsSpan(0, prefix + text.Length);
        escaped[..prefix].Fill(Blank);
        text.Replace(escaped[prefix..], ' ', Blank);

        int start = 0;
        for (int end = 1; end <= escaped.Length; end++)
        {
            if (end < escaped.Length && !BeginsWord(escaped, end))
                continue;
            EncodeWord(escaped[start..end], merger, destination);
            start = end;
        }
        ArrayPool<char>.Shared.Return(rented);
    }

    private bool BeginsWord(ReadOnlySpan<char> text, int at) =>
        text[at] == Blank && text[at - 1] != Blank && !_joinedToBlank.Contains(text[at - 1]);

    private void EncodeWord(ReadOnlySpan<char> word, PairMerger merger, List<int> destination)
    {
        if (_words.TryAppend(word, destination))
            return;

        int before = destination.Count;
        merger.Clear();
        for (int start = 0; start < word.Length;)
        {
            int length = char.IsHighSurrogate(word[start]) ? 2 : 1;
            merger.Add(new Symbol(-1, start, length));
            start += length;
        }
        merger.Merge(new ScoreRule(word, Vocabulary.Ids, _scores, _longestToken));
        foreach (var symbol in merger.Symbols)
        {
            if (symbol.Length > 0)
                Append(word.Slice(symbol.Start, symbol.Length), destination);
        }
        _words.Remember(word, destination, before);
    }

    private void Append(ReadOnlySpan<char> characters, List<int> destination)
    {
        if (Vocabulary.Ids.TryGetValue(characters, out int id))
        {
            destination.Add(id);
            return;
        }
        Span<byte> bytes = stackalloc byte[4];
        foreach (byte value in bytes[..Encoding.UTF8.GetBytes(characters, bytes)])
            destination.Add(_byteTokens[value]);
    }

    private static byte[] Spelt(string token) => Encoding.UTF8.GetBytes(token.Replace(Blank, ' '));

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
