using Pure.Tokenizers.Pipeline;

namespace Pure.Tokenizers;

/// <summary>
/// The tokenizer that GGUF calls <c>bert</c>: WordPiece on lower-case text without accents (Devlin et al. 2019, "BERT:
/// Pre-training of Deep Bidirectional Transformers for Language Understanding"). Its files spell the beginning of a word as
/// <c>▁</c> and a continuation as it is, where BERT's own have <c>##</c> before continuations.
/// </summary>
internal sealed class WordPieceTokenizer : FragmentTokenizer
{
    private const string WordStart = "▁";

    private static readonly Normalizer Normalizer =
        new BertNormalizer(cleansText: true, isolatesIdeographs: true, stripsAccents: true, lowercases: true);

    private readonly WordPieceModel _model;
    private readonly WordCache _words = new();

    public WordPieceTokenizer(VocabularyData data)
        : base(
            WithDefaultIds(data), new Vocabulary(WithDefaultIds(data), Spelt, hasDefaultIds: false), addsBos: true, addsEos: true,
            joinsPairs: true)
    {
        _model = new WordPieceModel(
            Enumerable.Range(0, VocabularySize).Select(id => (TokenText(id), id)), WordStart, "", Unknown!.Value, int.MaxValue);
    }

    private protected override void EncodeFragment(
        ReadOnlySpan<char> text, bool afterSpecial, PairMerger merger, List<int> destination)
    {
        var words = new Words(Normalizer.Apply(text.ToString()), isStart: true);
        BertSplitter.Instance.Split(words);
        foreach (var (start, end) in words.Spans)
        {
            var word = words.Text.AsSpan(start, end - start);
            if (_words.TryAppend(word, destination))
                continue;
            int before = destination.Count;
            _model.Encode(word, merger, destination);
            _words.Remember(word, destination, before);
        }
    }

    internal override ReadOnlySpan<byte> FirstBytes(int id)
    {
        var bytes = TokenBytes(id);
        return bytes is [(byte)' ', ..] ? bytes[1..] : bytes;
    }

    private static byte[] Spelt(string token) => System.Text.Encoding.UTF8.GetBytes(token.Replace(WordStart, " "));

    /// <summary>A file that names no ids means BERT's own tokens.</summary>
    private static VocabularyData WithDefaultIds(VocabularyData data)
    {
        int? unknown = data.Unknown ?? Find("[UNK]");
        if (unknown is null)
            throw new TokenizerException(
                "The vocabulary has no unknown token: a bert tokenizer needs tokenizer.ggml.unknown_token_id or a token [UNK].");
        return data with
        {
            Bos = data.Bos ?? Find("[CLS]"),
            Eos = data.Eos ?? data.Separator ?? Find("[SEP]"),
            Unknown = unknown,
        };

        int? Find(string text)
        {
            for (int id = 0; id < data.Tokens.Count; id++)
            {
                if (data.Tokens[id] == text)
                    return id;
            }
            return null;
        }
    }
}
