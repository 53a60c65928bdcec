using System.Buffers;
using System.Text;

namespace Pure.Tokenizers.SentencePieces;

/// <summary>
/// The tokenizer that GGUF calls <c>llama</c>: SentencePiece's BPE model (Kudo &amp; Richardson 2018, "SentencePiece: A simple
/// and language independent subword tokenizer") on text whose blanks are <c>▁</c>.
/// </summary>
internal sealed class SentencePieceTokenizer : FragmentTokenizer
{
    private const char Blank = SentencePieceNormalizer.Blank;

    private readonly ScoredPairModel _model;
    private readonly WordStarts _starts;
    private readonly bool _addsSpacePrefix;
    private readonly WordCache _words = new();

    public SentencePieceTokenizer(VocabularyData data)
        : base(data, new Vocabulary(data, Spelt, hasDefaultIds: true), addsBos: true)
    {
        _addsSpacePrefix = data.AddSpacePrefix ?? true;
        var ids = new Dictionary<string, int>(VocabularySize, StringComparer.Ordinal);
        for (int id = 0; id < VocabularySize; id++)
            ids.Add(TokenText(id), id);
        _starts = new WordStarts(ids.Keys);

        // A byte that has no token is unknown.
        int[] byteTokens = new int[256];
        for (int value = 0; value < 256; value++)
        {
            bool found = ids.TryGetValue($"<0x{value:X2}>", out int id)
                || value < 0x80 && ids.TryGetValue(((char)value).ToString(), out id);
            byteTokens[value] = found ? id : Unknown!.Value;
        }
        _model = new ScoredPairModel(ids, data.Scores is { } scores ? [.. scores] : new float[VocabularySize], byteTokens, unknown: -1);
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
            if (end < escaped.Length && !_starts.BeginsWord(escaped, end))
                continue;
            EncodeWord(escaped[start..end], merger, destination);
            start = end;
        }
        ArrayPool<char>.Shared.Return(rented);
    }

    private void EncodeWord(ReadOnlySpan<char> word, PairMerger merger, List<int> destination)
    {
        if (_words.TryAppend(word, destination))
            return;
        int before = destination.Count;
        _model.Encode(word, merger, destination);
        _words.Remember(word, destination, before);
    }

    private static byte[] Spelt(string token) => Encoding.UTF8.GetBytes(token.Replace(Blank, ' '));
}
