using System.Text;
using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers;

/// <summary>
/// Byte-level byte-pair encoding, the model that GGUF calls <c>gpt2</c>: a pre-tokenizer cuts the text into words, each
/// word becomes bytes in the <see cref="ByteAlphabet"/>, and the merges join them in their order of rank (Radford et al.
/// 2019, "Language Models are Unsupervised Multitask Learners", §2.2). Gemma 4 and Sarvam join characters instead of bytes:
/// blanks become <c>▁</c>, and characters that are no token become byte tokens such as <c>&lt;0x41&gt;</c>.
/// </summary>
internal sealed class BytePairTokenizer : FragmentTokenizer
{
    private const char Blank = '▁';

    private readonly PreTokenizer _preTokenizer;
    private readonly MergeTable _merges;

    /// <summary>The symbol of each byte; -1 for one that has none.</summary>
    private readonly int[] _byteSymbols = new int[256];

    /// <summary>The texts that merges name and that are no tokens, with symbols above all ids.</summary>
    private readonly Dictionary<string, int> _strangers = new(StringComparer.Ordinal);
    private readonly WordCache _words = new();

    public BytePairTokenizer(VocabularyData data)
        : this(data, PreTokenizer.Named(data.PreTokenizer is { Length: > 0 } name ? name : "default"))
    {
    }

    private BytePairTokenizer(VocabularyData data, PreTokenizer preTokenizer)
        : base(
            preTokenizer.OverrulesBos && data.Bos is not null ? data with { AddBos = true } : data,
            new Vocabulary(data, preTokenizer.KeepsCharacters ? Plain : Spelt, hasDefaultIds: false), preTokenizer.AddsBos)
    {
        _preTokenizer = preTokenizer;
        _merges = ReadMerges(data.Merges);
        for (int value = 0; value < 256; value++)
        {
            string text = preTokenizer.KeepsCharacters ? $"<0x{value:X2}>" : ByteAlphabet.Spell((byte)value).ToString();
            bool isToken = Vocabulary.TryFind(text, out int id);
            if (!isToken && !preTokenizer.KeepsCharacters && value is >= ' ' and <= '~')
                throw new TokenizerException(
                    $"The vocabulary has no token for the character '{(char)value}' (as {Vocabulary.Quote(text)}); "
                    + "a gpt2 tokenizer needs one for every printable ASCII character.");
            _byteSymbols[value] = isToken || _strangers.TryGetValue(text, out id) ? id : -1;
        }
    }

    private protected override void EncodeFragment(
        ReadOnlySpan<char> text, bool afterSpecial, PairMerger merger, List<int> destination)
    {
        if (_preTokenizer.KeepsCharacters && text.Contains(' '))
            text = text.ToString().Replace(' ', Blank);
        var ends = new List<int>();
        _preTokenizer.Split(text, ends);
        int start = 0;
        foreach (int end in ends)
        {
            EncodeWord(text[start..end], merger, destination);
            start = end;
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, PairMerger merger, List<int> destination)
    {
        if (_words.TryAppend(word, destination))
            return;

        int before = destination.Count;
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        if (TryFindWhole(word, bytes, out int whole))
        {
            destination.Add(whole);
        }
        else
        {
            merger.Clear();
            if (_preTokenizer.KeepsCharacters)
                AddCharacters(word, merger);
            else
                AddBytes(bytes, merger);
            merger.Merge(_merges);
            foreach (var symbol in merger.Symbols)
            {
                if (symbol.Length > 0)
                    Append(symbol, bytes, destination);
            }
        }

        _words.Remember(word, destination, before);
    }

    /// <summary>Adds a finished symbol. Merges may lead to one that is no token; then its bytes stand for themselves. Some
    /// vocabularies (Falcon's) lack tokens for rare control characters; such bytes are left out, as everywhere else.</summary>
    private void Append(in Symbol symbol, ReadOnlySpan<byte> bytes, List<int> destination)
    {
        if ((uint)symbol.Id < (uint)VocabularySize)
        {
            destination.Add(symbol.Id);
            return;
        }
        foreach (byte value in bytes.Slice(symbol.Start, symbol.Length))
        {
            int id = _byteSymbols[value];
            if ((uint)id < (uint)VocabularySize)
                destination.Add(id);
        }
    }

    private void AddBytes(ReadOnlySpan<byte> bytes, PairMerger merger)
    {
        for (int i = 0; i < bytes.Length; i++)
            merger.Add(new Symbol(_byteSymbols[bytes[i]], i, 1));
    }

    private void AddCharacters(ReadOnlySpan<char> word, PairMerger merger)
    {
        var strangers = _strangers.GetAlternateLookup<ReadOnlySpan<char>>();
        int start = 0;
        for (int at = 0; at < word.Length;)
        {
            int units = char.IsHighSurrogate(word[at]) ? 2 : 1;
            var character = word.Slice(at, units);
            if (!Vocabulary.Ids.TryGetValue(character, out int id) && !strangers.TryGetValue(character, out id))
                id = -1;
            int length = Encoding.UTF8.GetByteCount(character);
            merger.Add(new Symbol(id, start, length));
            start += length;
            at += units;
        }
    }

    private bool TryFindWhole(ReadOnlySpan<char> word, ReadOnlySpan<byte> bytes, out int id)
    {
        id = -1;
        if (_preTokenizer.KeepsLineBreaks && word[0] == '\n')
            return Vocabulary.Ids.TryGetValue(word, out id);
        if (!_preTokenizer.IgnoresMerges)
            return false;
        Span<char> spelt = bytes.Length <= 256 ? stackalloc char[bytes.Length] : new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
            spelt[i] = ByteAlphabet.Spell(bytes[i]);
        return Vocabulary.Ids.TryGetValue(spelt, out id);
    }

    /// <summary>Reads the merges as pairs of symbols. A symbol is a token's id or, for a text that is no token (a
    /// "stranger"; files have them), a number above all ids.</summary>
    private MergeTable ReadMerges(IReadOnlyList<string>? merges)
    {
        if (merges is null)
            throw new TokenizerException(
                "The vocabulary has no merges: a gpt2 tokenizer needs tokenizer.ggml.merges, a list of \"left right\" pairs.");

        var ranks = new MergeTable(merges.Count);
        var strangers = _strangers.GetAlternateLookup<ReadOnlySpan<char>>();
        var ids = Vocabulary.Ids;
        Span<char> buffer = stackalloc char[256];
        for (int rank = 0; rank < merges.Count; rank++)
        {
            string merge = merges[rank] ?? "";
            int blank = merge.Length > 1 ? merge.IndexOf(' ', 1) : -1;
            if (blank < 0 || blank == merge.Length - 1)
                throw new TokenizerException(
                    $"Merge {rank} of tokenizer.ggml.merges is {Vocabulary.Quote(merge)}, "
                    + "where two texts with a blank between them are expected.");
            Span<char> joined = merge.Length <= buffer.Length ? buffer[..(merge.Length - 1)] : new char[merge.Length - 1];
            merge.AsSpan(0, blank).CopyTo(joined);
            merge.AsSpan(blank + 1).CopyTo(joined[blank..]);
            ranks.TryAdd(SymbolOf(joined[..blank]), SymbolOf(joined[blank..]), rank, SymbolOf(joined));
        }
        return ranks;

        int SymbolOf(ReadOnlySpan<char> text)
        {
            if (ids.TryGetValue(text, out int id) || strangers.TryGetValue(text, out id))
                return id;
            id = VocabularySize + _strangers.Count;
            _strangers.Add(text.ToString(), id);
            return id;
        }
    }

    private static byte[] Spelt(string token) =>
        ByteAlphabet.TryRead(token, out byte[]? bytes) ? bytes : Encoding.UTF8.GetBytes(token);

    private static byte[] Plain(string token) => Encoding.UTF8.GetBytes(token.Replace(Blank, ' '));
}
