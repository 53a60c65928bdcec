using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;
using Pure.Tokenizers.Pipeline;
using MLTokenizer = Microsoft.ML.Tokenizers.Tokenizer;
using SentencePiece = Microsoft.ML.Tokenizers.SentencePieceTokenizer;
using WordPiece = Microsoft.ML.Tokenizers.WordPieceTokenizer;

namespace Pure.Tokenizers.MicrosoftML;

/// <summary>What can be found out about the tokens of another library's tokenizer.</summary>
/// <param name="Vocabulary">The tokens.</param>
/// <param name="Frame">What goes around a text.</param>
/// <param name="HasOwnControl">Whether there are control tokens that the library does not look for in a text.</param>
internal sealed record BorrowedVocabulary(Vocabulary Vocabulary, Frame Frame, bool HasOwnControl)
{
    /// <summary>Ids may have gaps, as before the special tokens of cl100k; none is known to be longer.</summary>
    private const int LongestGap = 4096;

    /// <summary>More than any vocabulary has.</summary>
    private const int MostTokens = 1 << 22;

    public static BorrowedVocabulary Read(MLTokenizer tokenizer, TokenRoles given)
    {
        TokenRoles roles = Complete(given, tokenizer);
        IReadOnlyDictionary<string, int>? shown = ShownTokens(tokenizer);
        Dictionary<string, int> control = Control(tokenizer, roles);
        int size = roles.Size ?? FindSize(tokenizer, shown, control);
        foreach (var (role, id) in (ReadOnlySpan<(string, int?)>)[
            ("Bos", roles.Bos), ("Eos", roles.Eos), ("Eot", roles.Eot), ("Unknown", roles.Unknown), ("Padding", roles.Padding),
            .. control.Select(token => ($"Control[{token.Key}]", (int?)token.Value))])
        {
            if (id is { } found && (uint)found >= (uint)size)
                throw new TokenizerException($"TokenRoles.{role} is {found}, but the vocabulary has {size} tokens, ids 0 to {size - 1}.");
        }

        string[] texts = new string[size];
        int[] kinds = new int[size];
        foreach (var (text, id) in shown ?? new Dictionary<string, int>())
            Set(id, text, tokenizer is SentencePiece { ByteFallback: true } && IsByte(text) ? TokenKind.Byte : TokenKind.Normal);
        foreach (var (text, id) in control)
            Set(id, text, TokenKind.Control);
        for (int id = 0; id < size && shown is null; id++)
        {
            if (texts[id] is null && IsToken(tokenizer, id))
                Set(id, tokenizer.Decode([id]), TokenKind.Normal);
        }
        MarkRoles(roles, kinds);
        return Create(tokenizer, roles, texts, kinds, given.Control is { Count: > 0 });

        void Set(int id, string text, TokenKind kind)
        {
            if ((uint)id < (uint)size)
                (texts[id], kinds[id]) = (text, (int)kind);
        }
    }

    private static BorrowedVocabulary Create(MLTokenizer tokenizer, TokenRoles roles, string[] texts, int[] kinds, bool hasOwnControl)
    {
        // Parts of characters look alike when they are decoded alone; a token's text is its own.
        var ids = new Dictionary<string, int>(texts.Length, StringComparer.Ordinal);
        for (int id = 0; id < texts.Length; id++)
        {
            if (texts[id] is null)
                (texts[id], kinds[id]) = ("", (int)TokenKind.Unused);
            else if (texts[id].Length == 0 || !ids.TryAdd(texts[id], id))
                ids.Add(texts[id] = $"[TOKEN_{id}]", id);
        }

        var vocabulary = new Vocabulary(
            new VocabularyData
            {
                Model = "",
                Tokens = texts,
                Kinds = kinds,
                Bos = roles.Bos,
                Eos = roles.Eos,
                Eot = roles.Eot,
                Unknown = roles.Unknown,
                Padding = roles.Padding,
            },
            text => Bytes(tokenizer, text, ids),
            hasDefaultIds: false);
        return new BorrowedVocabulary(
            vocabulary,
            new Frame(
                roles is { AddBos: true, Bos: { } bos } ? [bos] : [],
                roles is { AddEos: true, Eos: { } eos } ? [eos] : []),
            hasOwnControl);
    }

    private static byte[] Bytes(MLTokenizer tokenizer, string text, Dictionary<string, int> ids) => tokenizer switch
    {
        BpeTokenizer { ByteLevel: true } or CodeGenTokenizer or EnglishRobertaTokenizer
            when ByteAlphabet.TryRead(text, out byte[]? bytes) => bytes,
        SentencePiece => Encoding.UTF8.GetBytes(text.Replace('\u2581', ' ')),
        _ => Encoding.UTF8.GetBytes(tokenizer.Decode([ids[text]])),
    };

    /// <summary>The tokens by their texts, where the library shows them.</summary>
    private static IReadOnlyDictionary<string, int>? ShownTokens(MLTokenizer tokenizer) => tokenizer switch
    {
        SentencePiece sentencePiece => sentencePiece.Vocabulary,
        BpeTokenizer bytePair => bytePair.Vocabulary,
        CodeGenTokenizer codeGen => codeGen.Vocabulary,
        EnglishRobertaTokenizer roberta => roberta.Vocabulary,
        _ => null,
    };

    private static Dictionary<string, int> Control(MLTokenizer tokenizer, TokenRoles roles)
    {
        IReadOnlyDictionary<string, int>? known = tokenizer switch
        {
            TiktokenTokenizer tiktoken => tiktoken.SpecialTokens,
            SentencePiece sentencePiece => sentencePiece.SpecialTokens,
            BpeTokenizer bytePair => bytePair.SpecialTokens,
            CodeGenTokenizer codeGen => codeGen.SpecialTokens,
            WordPiece wordPiece => wordPiece.SpecialTokens,
            _ => null,
        };
        var control = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (text, id) in (known ?? control).Concat(roles.Control ?? control))
            control[text] = id;
        return control;
    }

    /// <summary>Adds what the tokenizer says to what the caller says.</summary>
    private static TokenRoles Complete(TokenRoles given, MLTokenizer tokenizer)
    {
        TokenRoles said = tokenizer switch
        {
            SentencePiece sentencePiece => new TokenRoles
            {
                Bos = sentencePiece.BeginningOfSentenceId,
                Eos = sentencePiece.EndOfSentenceId,
                Unknown = sentencePiece.UnknownId,
                AddBos = sentencePiece.AddBeginningOfSentence,
                AddEos = sentencePiece.AddEndOfSentence,
            },
            CodeGenTokenizer codeGen => new TokenRoles
            {
                Bos = codeGen.BeginningOfSentenceId,
                Eos = codeGen.EndOfSentenceId,
                Unknown = codeGen.UnknownTokenId,
                AddBos = codeGen.AddBeginningOfSentence,
                AddEos = codeGen.AddEndOfSentence,
            },
            BertTokenizer bert => new TokenRoles
            {
                Bos = bert.ClassificationTokenId,
                Eos = bert.SeparatorTokenId,
                Unknown = bert.UnknownTokenId,
                Padding = bert.PaddingTokenId,
                AddBos = true,
                AddEos = true,
            },
            WordPiece wordPiece => new TokenRoles { Unknown = wordPiece.UnknownTokenId },
            BpeTokenizer bytePair => new TokenRoles
            {
                Bos = Find(bytePair.BeginningOfSentenceToken, bytePair),
                Eos = AddedEnd(bytePair),
                Unknown = Find(bytePair.UnknownToken, bytePair),
                AddBos = bytePair.BeginningOfSentenceToken is not null,
                AddEos = AddedEnd(bytePair) is not null,
            },
            TiktokenTokenizer { SpecialTokens: { } special } when special.TryGetValue("<|endoftext|>", out int end) =>
                new TokenRoles { Eos = end },
            _ => new TokenRoles(),
        };
        return given with
        {
            Bos = given.Bos ?? said.Bos,
            Eos = given.Eos ?? said.Eos,
            Unknown = given.Unknown ?? said.Unknown,
            Padding = given.Padding ?? said.Padding,
            AddBos = given.AddBos ?? said.AddBos,
            AddEos = given.AddEos ?? said.AddEos,
        };

        static int? Find(string? text, BpeTokenizer tokenizer) =>
            text is null ? null
            : tokenizer.SpecialTokens is { } special && special.TryGetValue(text, out int id) ? id
            : tokenizer.Vocabulary.TryGetValue(text, out id) ? id
            : null;
    }

    /// <summary>The token that the tokenizer puts after every text, which it does not tell: it spells nothing.</summary>
    public static int? AddedEnd(BpeTokenizer tokenizer) =>
        tokenizer.EncodeToTokens("a", out _) is [.., { Offset: var offset } last] && offset.Start.Equals(offset.End) ? last.Id : null;

    private static void MarkRoles(TokenRoles roles, int[] kinds)
    {
        foreach (int? id in (ReadOnlySpan<int?>)[roles.Bos, roles.Eos, roles.Eot, roles.Padding])
        {
            if (id is { } marked)
                kinds[marked] = (int)TokenKind.Control;
        }
        // One token may be beginning, end and unknown at once, as in GPT-2's vocabulary.
        if (roles.Unknown is { } unknown && unknown != roles.Bos && unknown != roles.Eos)
            kinds[unknown] = (int)TokenKind.Unknown;
    }

    private static int FindSize(MLTokenizer tokenizer, IReadOnlyDictionary<string, int>? shown, Dictionary<string, int> control)
    {
        int last = control.Values.Concat(shown?.Values ?? []).DefaultIfEmpty(-1).Max();
        for (int id = 0; id <= last + LongestGap && shown is null; id++)
        {
            if (id >= MostTokens)
                throw new TokenizerException(
                    $"{tokenizer.GetType().Name} decodes every id, so the size of its vocabulary is unknown; give it as TokenRoles.Size.");
            if (IsToken(tokenizer, id))
                last = Math.Max(last, id);
        }
        return last + 1;
    }

    /// <summary>Whether there is such a token. The library calls an id that it does not know invalid, but also a token that begins
    /// within a character; decoded to a string, that one is U+FFFD.</summary>
    private static bool IsToken(MLTokenizer tokenizer, int id)
    {
        Span<char> text = stackalloc char[256];
        if (tokenizer.Decode([id], text, out _, out _) != OperationStatus.InvalidData)
            return true;
        try
        {
            return tokenizer.Decode([id]).Length > 0;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsByte(string text) =>
        text is ['<', '0', 'x', char high, char low, '>'] && char.IsAsciiHexDigit(high) && char.IsAsciiHexDigit(low);
}
