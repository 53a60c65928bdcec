using System.Collections.Frozen;
using System.Text;

namespace Pure.Tokenizers;

/// <summary>A validated vocabulary: the tokens with their texts, bytes and kinds, and the ids that mean something.</summary>
internal sealed class Vocabulary
{
    private readonly string[] _texts;
    private readonly TokenKind[] _kinds;
    private readonly byte[] _bytes;
    private readonly int[] _byteStarts;
    private readonly Dictionary<string, int> _ids;
    private readonly FrozenSet<int> _ends;

    /// <summary>Makes a vocabulary whose normal tokens alone are spelt in a way of their own.</summary>
    /// <param name="data">What the file says.</param>
    /// <param name="spell">The bytes that a normal token stands for, from its text.</param>
    /// <param name="hasDefaultIds">Whether ids 0, 1 and 2 are unknown, beginning and end where the file names none, as
    /// in SentencePiece's own vocabularies.</param>
    public Vocabulary(VocabularyData data, Func<string, byte[]> spell, bool hasDefaultIds)
        : this(data, (text, kind) => kind == TokenKind.Normal ? spell(text) : Encoding.UTF8.GetBytes(text), hasDefaultIds)
    {
    }

    /// <param name="data">What the file says.</param>
    /// <param name="spell">The bytes that a token stands for, from its text and kind; not asked about bytes and unused
    /// tokens.</param>
    /// <param name="hasDefaultIds">As for the other constructor.</param>
    public Vocabulary(VocabularyData data, Func<string, TokenKind, byte[]> spell, bool hasDefaultIds = false)
    {
        int size = data.Tokens.Count;
        if (size == 0)
            throw new TokenizerException("The vocabulary is empty: tokenizer.ggml.tokens holds no token.");
        RequireOnePerToken("tokenizer.ggml.token_type", data.Kinds?.Count, size);
        RequireOnePerToken("tokenizer.ggml.scores", data.Scores?.Count, size);

        _texts = new string[size];
        _ids = new Dictionary<string, int>(size, StringComparer.Ordinal);
        for (int id = 0; id < size; id++)
        {
            // Files with gaps have empty texts; a name of its own keeps such a slot from matching everything.
            string text = data.Tokens[id] is { Length: > 0 } given ? given : $"[EMPTY_{id}]";
            _texts[id] = text;
            if (!_ids.TryAdd(text, id))
                throw new TokenizerException(
                    $"The vocabulary has the token {Quote(text)} twice, as ids {_ids[text]} and {id}; "
                    + "each token may stand only once.");
        }

        _kinds = new TokenKind[size];
        for (int id = 0; id < size; id++)
        {
            int kind = data.Kinds is null ? (int)TokenKind.Normal : data.Kinds[id];
            _kinds[id] = kind is >= 0 and <= (int)TokenKind.Byte ? (TokenKind)kind : TokenKind.Undefined;
        }

        Bos = Checked("tokenizer.ggml.bos_token_id", data.Bos) ?? Default(1);
        Eos = Checked("tokenizer.ggml.eos_token_id", data.Eos) ?? Default(2);
        Unknown = Checked("tokenizer.ggml.unknown_token_id", data.Unknown) ?? Default(0);
        Padding = Checked("tokenizer.ggml.padding_token_id", data.Padding);
        Eot = Checked("tokenizer.ggml.eot_token_id", data.Eot) ?? FirstOf(WellKnownTokens.EndOfTurn);
        _ends = FindEnds().ToFrozenSet();

        _byteStarts = new int[size + 1];
        using var bytes = new MemoryStream(size * 8);
        for (int id = 0; id < size; id++)
        {
            bytes.Write(BytesOf(id, spell));
            _byteStarts[id + 1] = (int)bytes.Length;
        }
        _bytes = bytes.ToArray();

        int? Default(int id) => hasDefaultIds && id < size ? id : null;
    }

    public int Size => _texts.Length;
    public int? Bos { get; }
    public int? Eos { get; }
    public int? Eot { get; }
    public int? Unknown { get; }
    public int? Padding { get; }

    public string Text(int id) => _texts[id];

    public TokenKind Kind(int id) => _kinds[id];

    public ReadOnlySpan<byte> Bytes(int id) => _bytes.AsSpan(_byteStarts[id].._byteStarts[id + 1]);

    public bool IsEnd(int id) => _ends.Contains(id);

    public bool TryFind(string text, out int id) => _ids.TryGetValue(text, out id);

    /// <summary>The ids by text, to be looked up with a span.</summary>
    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Ids => _ids.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>A text as it may stand in an error message: short, on one line, in quotes.</summary>
    public static string Quote(string text)
    {
        const int Longest = 40;
        string shown = text.Length > Longest ? text[..Longest] + "…" : text;
        var quoted = new StringBuilder("\"");
        foreach (char c in shown)
            quoted = char.IsControl(c) ? quoted.Append($"\\u{(int)c:X4}") : quoted.Append(c);
        return quoted.Append('"').ToString();
    }

    private static void RequireOnePerToken(string key, int? count, int size)
    {
        if (count is { } found && found != size)
            throw new TokenizerException(
                $"{key} has {found} entries, but tokenizer.ggml.tokens has {size}; the two must be equally long.");
    }

    private int? Checked(string key, int? id)
    {
        if (id is { } found && (uint)found >= (uint)Size)
            throw new TokenizerException(
                $"{key} is {found}, which is outside the vocabulary of {Size} tokens (ids 0 to {Size - 1}).");
        return id;
    }

    private int? FirstOf(string[] texts)
    {
        foreach (string text in texts)
        {
            if (_ids.TryGetValue(text, out int id))
                return id;
        }
        return null;
    }

    /// <summary>Finds the tokens that end a generation, and corrects the kinds of tokens that files are known to get
    /// wrong.</summary>
    private HashSet<int> FindEnds()
    {
        var ends = new HashSet<int>();
        foreach (string text in WellKnownTokens.FillInTheMiddle)
        {
            if (_ids.TryGetValue(text, out int id))
                _kinds[id] = TokenKind.Control;
        }
        foreach (string text in WellKnownTokens.Ends)
        {
            if (!_ids.TryGetValue(text, out int id))
                continue;
            ends.Add(id);
            if (text != "</s>")
                _kinds[id] = TokenKind.Control;
        }
        foreach (int? end in (ReadOnlySpan<int?>)[Eos, Eot])
        {
            if (end is { } id)
                ends.Add(id);
        }

        foreach (string text in WellKnownTokens.ChannelMarks)
        {
            if (_ids.TryGetValue(text, out int id))
                _kinds[id] = TokenKind.UserDefined;
        }

        // In these families a turn goes on after <|end|> (it closes one channel) and after </s>.
        bool closesChannels = Has("<|call|>") && (Has("<|return|>") || Has("<|flush|>")) || Has("<|calls|>") && Has("<|flush|>");
        if (closesChannels && _ids.TryGetValue("<|end|>", out int closing))
        {
            ends.Remove(closing);
            _kinds[closing] = TokenKind.UserDefined;
        }
        if (Has("<|tool_response>") && _ids.TryGetValue("</s>", out int plain))
        {
            ends.Remove(plain);
            _kinds[plain] = TokenKind.Normal;
        }
        return ends;

        bool Has(string text) => _ids.ContainsKey(text);
    }

    private byte[] BytesOf(int id, Func<string, TokenKind, byte[]> spell) => _kinds[id] switch
    {
        TokenKind.Byte => [ByteOf(id)],
        TokenKind.Undefined or TokenKind.Unused => [],
        var kind => spell(_texts[id], kind),
    };

    private byte ByteOf(int id)
    {
        string text = _texts[id];
        if (text is ['<', '0', 'x', char high, char low, '>'] && char.IsAsciiHexDigit(high) && char.IsAsciiHexDigit(low))
            return Convert.FromHexString(text.AsSpan(3, 2))[0];
        throw new TokenizerException(
            $"Token {id} is of kind byte (tokenizer.ggml.token_type 6), but its text is {Quote(text)}, "
            + "where one like <0x41> is expected.");
    }
}
