using System.Buffers;
using System.Text;
using Pure.Tokenizers.Pipeline;
using Pure.Tokenizers.SentencePieces;

namespace Pure.Tokenizers;

/// <summary>
/// Turns text into token ids and back, as llama.cpp does for the same GGUF file (<see cref="Create"/>) and Hugging Face's
/// library for the same <c>tokenizer.json</c> (<see cref="TokenizerJson"/>), and SentencePiece for the same
/// <c>tokenizer.model</c> (<see cref="SentencePieceModel"/>). Immutable once created, and safe to use from
/// many threads at once.
/// </summary>
public abstract class Tokenizer
{
    private readonly Frame _frame;

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="frame">What goes around a text.</param>
    private protected Tokenizer(Vocabulary vocabulary, Frame frame)
    {
        Vocabulary = vocabulary;
        _frame = frame;
        AddsBos = vocabulary.Bos is { } bos && frame.Prefix.Contains(bos);
        AddsEos = vocabulary.Eos is { } eos && frame.Suffix.Contains(eos);
    }

    /// <summary>How many tokens there are; ids go from 0 to one below.</summary>
    public int VocabularySize => Vocabulary.Size;

    /// <summary>The token that begins a text.</summary>
    public int? Bos => Vocabulary.Bos;

    /// <summary>The token that ends a text.</summary>
    public int? Eos => Vocabulary.Eos;

    /// <summary>The token that ends a turn of a conversation.</summary>
    public int? Eot => Vocabulary.Eot;

    /// <summary>The token for what the vocabulary cannot spell.</summary>
    public int? Unknown => Vocabulary.Unknown;

    /// <summary>The token that fills up a row.</summary>
    public int? Padding => Vocabulary.Padding;

    /// <summary>Whether a text is to begin with <see cref="Bos"/>.</summary>
    public bool AddsBos { get; }

    /// <summary>Whether a text is to end with <see cref="Eos"/>.</summary>
    public bool AddsEos { get; }

    internal Vocabulary Vocabulary { get; }

    /// <summary>Whether decoding drops the one blank that encoding has put before the text.</summary>
    internal virtual bool DropsLeadingSpace => false;

    /// <summary>Whether a blank at the end of a token's bytes is written only when another token follows.</summary>
    internal virtual bool HoldsTrailingSpace => false;

    /// <summary>Whether the unknown token is written even where control tokens are not.</summary>
    internal virtual bool ShowsUnknown => false;

    /// <summary>Who writes a stream of tokens; none if the tokens' own bytes say it all.</summary>
    /// <param name="continuesText">Whether text came before.</param>
    internal virtual TokenWriter? OpenWriter(bool continuesText) => null;

    /// <summary>Makes the tokenizer for a vocabulary.</summary>
    /// <exception cref="TokenizerException">The model or pre-tokenizer is not supported, or the vocabulary contradicts
    /// itself.</exception>
    public static Tokenizer Create(VocabularyData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return data.Model switch
        {
            "gpt2" => new BytePairTokenizer(data),
            "gemma4" => new BytePairTokenizer(data with { PreTokenizer = "gemma4" }),
            "llama" => new SentencePieceTokenizer(data),
            "bert" => new WordPieceTokenizer(data),
            _ => throw new TokenizerException(
                $"The tokenizer model (tokenizer.ggml.model) {Vocabulary.Quote(data.Model ?? "")} is not supported; "
                + "supported are gpt2, gemma4, llama and bert."),
        };
    }

    /// <summary>Whether generation stops at this token: the end of a text, of a turn or of a message, by the file's word or by
    /// a well-known name.</summary>
    public bool IsEndOfGeneration(int id) => Vocabulary.IsEnd(Checked(id));

    /// <summary>The token as the vocabulary writes it, such as <c>Ġthe</c> or <c>▁the</c>.</summary>
    public string TokenText(int id) => Vocabulary.Text(Checked(id));

    /// <summary>The bytes of UTF-8 that the token stands for, perhaps part of a character only. For a control token these are
    /// its name; an unused token has none.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => Vocabulary.Bytes(Checked(id));

    /// <summary>What kind of token it is.</summary>
    public TokenKind Kind(int id) => Vocabulary.Kind(Checked(id));

    /// <summary>The id of the token with exactly this text (see <see cref="TokenText"/>), if there is one.</summary>
    public int? FindToken(string tokenText) => Vocabulary.TryFind(tokenText, out int id) ? id : null;

    /// <summary>Turns text into ids.</summary>
    /// <param name="text">The text; unpaired surrogates in it count as U+FFFD.</param>
    /// <param name="addSpecial">Whether to put <see cref="Bos"/> before and <see cref="Eos"/> after it, if
    /// <see cref="AddsBos"/> and <see cref="AddsEos"/> say so.</param>
    /// <param name="parseSpecial">Whether the names of control tokens in the text stand for these tokens; if not, they are
    /// text like any other. Never parse them in text of unknown origin: it could forge turns.</param>
    public int[] Encode(ReadOnlySpan<char> text, bool addSpecial = true, bool parseSpecial = true)
    {
        var ids = new List<int>(text.Length / 3 + 2);
        Encode(text, ids, addSpecial, parseSpecial);
        return [.. ids];
    }

    /// <summary>Turns text into ids and adds them to a list; see the other overload.</summary>
    public void Encode(ReadOnlySpan<char> text, List<int> destination, bool addSpecial = true, bool parseSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (addSpecial)
            destination.AddRange(_frame.Prefix);
        EncodeText(WellFormed(text), parseSpecial, destination);
        if (addSpecial)
            destination.AddRange(_frame.Suffix);
    }

    /// <summary>Turns two texts into the ids of one input, with the tokens around and between them that the file says: for
    /// BERT <c>[CLS] first [SEP] second [SEP]</c>.</summary>
    /// <param name="first">The one text.</param>
    /// <param name="second">The other.</param>
    /// <param name="parseSpecial">As for a single text.</param>
    /// <exception cref="TokenizerException">The file does not say how to put two texts together.</exception>
    public int[] EncodePair(ReadOnlySpan<char> first, ReadOnlySpan<char> second, bool parseSpecial = true)
    {
        var pair = _frame.Pair ?? throw new TokenizerException(
            "The tokenizer's file does not say how to put two texts together; encode them one by one.");
        List<int> ids = [.. pair.Prefix];
        EncodeText(WellFormed(first), parseSpecial, ids);
        ids.AddRange(pair.Between);
        EncodeText(WellFormed(second), parseSpecial, ids);
        return [.. ids, .. pair.Suffix];
    }

    /// <summary>Turns ids into text; bytes that are not UTF-8 become U+FFFD.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="renderSpecial">Whether control and unknown tokens are written as their names, or left out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool renderSpecial = false)
    {
        var decoded = new ArrayBufferWriter<byte>(Math.Max(ids.Length * 4, 1));
        Decode(ids, decoded, renderSpecial);
        return Encoding.UTF8.GetString(decoded.WrittenSpan);
    }

    /// <summary>Turns ids into the bytes they stand for; see the other overload.</summary>
    public void Decode(ReadOnlySpan<int> ids, IBufferWriter<byte> destination, bool renderSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(destination);
        var state = new RenderState(this, continuesText: false);
        foreach (int id in ids)
            destination.Write(Render(id, renderSpecial, ref state));
        destination.Write(state.Flush());
    }

    /// <summary>The bytes that a token adds to a text.</summary>
    internal ReadOnlySpan<byte> Render(int id, bool renderSpecial, ref RenderState state)
    {
        bool isHidden = !renderSpecial && Kind(id) is var kind
            && (kind == TokenKind.Control || kind == TokenKind.Unknown && !ShowsUnknown);
        return isHidden ? [] : state.Next(this, id);
    }

    /// <summary>The bytes of a token that is the first of a text.</summary>
    internal virtual ReadOnlySpan<byte> FirstBytes(int id) => TokenBytes(id);

    /// <summary>Encodes a whole text.</summary>
    /// <param name="text">Well-formed.</param>
    /// <param name="parseSpecial">Whether names of control tokens stand for these tokens.</param>
    /// <param name="destination">Where the ids go.</param>
    private protected abstract void EncodeText(ReadOnlySpan<char> text, bool parseSpecial, List<int> destination);

    private int Checked(int id)
    {
        if ((uint)id >= (uint)VocabularySize)
            throw new ArgumentOutOfRangeException(nameof(id), id, $"Token ids go from 0 to {VocabularySize - 1}.");
        return id;
    }

    private static ReadOnlySpan<char> WellFormed(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAnyInRange('\uD800', '\uDFFF'))
            return text;
        char[] corrected = new char[text.Length];
        int length = 0;
        foreach (Rune rune in text.EnumerateRunes())
            length += rune.EncodeToUtf16(corrected.AsSpan(length));
        return corrected.AsSpan(0, length);
    }
}
