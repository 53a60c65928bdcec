using Pure.Tokenizers.Pipeline;
using Pure.Tokenizers.SentencePieces;

namespace Pure.Tokenizers;

/// <summary>
/// Reads the files of SentencePiece (<c>tokenizer.model</c>) with a unigram or a BPE model (Kudo &amp; Richardson 2018,
/// "SentencePiece: A simple and language independent subword tokenizer"). The file is not trusted.
/// </summary>
public static class SentencePieceModel
{
    private const string FileName = "tokenizer.model";
    private const string AddedName = "added_tokens.json";

    /// <summary>Makes the tokenizer of a file.</summary>
    /// <param name="path">A <c>tokenizer.model</c>, or the folder that holds it. In the same folder, a
    /// <c>tokenizer_config.json</c> says which tokens begin and end a text; it and an <c>added_tokens.json</c> may add
    /// tokens.</param>
    /// <exception cref="TokenizerException">A file cannot be read, contradicts itself, or asks for something that is not
    /// supported.</exception>
    public static Tokenizer Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        string folder = Path.GetDirectoryName(file) ?? "";
        string configFile = Path.Combine(folder, TokenizerConfig.FileName);
        string addedFile = Path.Combine(folder, AddedName);
        var config = File.Exists(configFile) ? TokenizerConfig.Open(configFile) : new TokenizerConfig();
        if (File.Exists(addedFile))
            config = config with { Added = [.. config.Added, .. ReadAdded(addedFile)] };
        return Create(JsonNode.ReadFile(file), config, file);
    }

    /// <summary>Makes the tokenizer of the bytes of a file.</summary>
    /// <param name="bytes">A message <c>ModelProto</c>.</param>
    /// <param name="config">What goes with it, if known.</param>
    /// <param name="name">The file's name, for messages.</param>
    /// <exception cref="TokenizerException">As for <see cref="Open"/>.</exception>
    public static Tokenizer Create(ReadOnlySpan<byte> bytes, TokenizerConfig? config = null, string name = FileName)
    {
        var data = SentencePieceData.Read(bytes, name);
        config ??= new TokenizerConfig();
        if (data.Model is not (PieceModel.Unigram or PieceModel.BytePair))
            throw new TokenizerException($"{name}: the model is of type {(int)data.Model}, which is not supported; supported are 1 (unigram) and 2 (BPE).");
        if (data.TakesBlankAsSuffix)
            throw new TokenizerException($"{name}: blanks end words (treat_whitespace_as_suffix), which is not supported; only blanks that begin them are.");

        List<string> texts = [.. data.Texts];
        List<int> kinds = [.. data.Kinds];
        Add(config.Added, texts, kinds, name);
        int? unknown = kinds.IndexOf((int)TokenKind.Unknown) is >= 0 and int found ? found : null;
        int? bos = Find(config.Bos ?? data.Bos);
        int? eos = Find(config.Eos ?? data.Eos);
        var decoder = Decoder(data, unknown is { } id ? texts[id] : null);
        var vocabulary = new Vocabulary(
            new VocabularyData
            {
                Model = "",
                Tokens = texts,
                Kinds = kinds,
                Bos = bos,
                Eos = eos,
                Unknown = unknown,
                Padding = Find(config.Padding ?? data.Padding),
            },
            (text, kind) => decoder.Decode(text, PipelineTokenizer.IsAdded(kind), isFirst: false));

        List<AddedToken> added = [.. Tokens(TokenKind.Control), .. Tokens(TokenKind.UserDefined).Where(token => token.Id >= data.Texts.Count)];
        return new PipelineTokenizer(new()
        {
            Vocabulary = vocabulary,
            Added = new(added),
            // Pieces that the training was told to keep are found in the text with its blanks written out.
            AddedNormalized = new(Tokens(TokenKind.UserDefined).Where(token => token.Id < data.Texts.Count)),
            Normalizer = new SentencePieceNormalizer(data.Rules, data.RemovesExtraBlanks, data.AddsBlank, data.EscapesBlanks),
            Splitter = data.EscapesBlanks ? new CuttingSplitter(new WordStarts(data.Texts), Behaviour.Isolated) : null,
            Model = Model(data, unknown ?? -1, name),
            Frame = new(
                bos is { } first && config.AddBos != false ? [first] : [],
                eos is { } last && config.AddEos == true ? [last] : []),
            Decoder = decoder,
            ShowsUnknown = true,
        });

        int? Find(string text) => texts.IndexOf(text) is >= 0 and int at ? at : null;

        IEnumerable<AddedToken> Tokens(TokenKind kind) =>
            from at in Enumerable.Range(0, texts.Count)
            where vocabulary.Kind(at) == kind
            select new AddedToken(at, texts[at], kind == TokenKind.Control, false, false, false);
    }

    private static SubwordModel Model(SentencePieceData data, int unknown, string name)
    {
        var ids = new Dictionary<string, int>(data.Texts.Count, StringComparer.Ordinal);
        int[] byteTokens = new int[256];
        Array.Fill(byteTokens, -1);
        for (int id = 0; id < data.Texts.Count; id++)
        {
            if (data.Kinds[id] == (int)TokenKind.Normal)
                ids.TryAdd(data.Texts[id], id);
            else if (data.Kinds[id] == (int)TokenKind.Byte && TokenDecoder.IsByteToken(data.Texts[id], out byte value))
                byteTokens[value] = id;
        }
        if (data.HasByteFallback && Array.IndexOf(byteTokens, -1) is >= 0 and int missing)
            throw new TokenizerException($"{name}: the file spells unknown characters in bytes, but has no piece <0x{missing:X2}>; download it again.");

        int[]? bytes = data.HasByteFallback ? byteTokens : null;
        float[] scores = [.. data.Scores];
        return data.Model == PieceModel.BytePair
            ? new ScoredPairModel(ids, scores, bytes, unknown)
            : new UnigramModel(
                [.. data.Texts.Select((text, id) => data.Kinds[id] == (int)TokenKind.Normal ? text : "")],
                [.. scores.Select(score => (double)score)], unknown, bytes);
    }

    private static TokenDecoder Decoder(SentencePieceData data, string? unknown) => new()
    {
        Steps =
        [
            (token, _) => token == unknown ? data.UnknownSurface : token.Replace(SentencePieceNormalizer.Blank, ' '),
        ],
        HasByteTokens = data.HasByteFallback,
        StripsLeadingSpace = data.AddsBlank || data.RemovesExtraBlanks,
    };

    /// <summary>Puts added tokens in their places. One that is a piece already keeps the piece's place and kind, unless it is
    /// said to be special.</summary>
    private static void Add(IReadOnlyList<ConfiguredToken> added, List<string> texts, List<int> kinds, string name)
    {
        int pieces = texts.Count;
        foreach (var token in added.Where(token => token.Text.Length > 0).OrderBy(token => token.Id))
        {
            bool isNew = token.Id >= texts.Count;
            if (token.Id < 0 || token.Id > pieces + added.Count || !isNew && texts[token.Id] != token.Text && !texts[token.Id].StartsWith("[EMPTY_", StringComparison.Ordinal))
                throw new TokenizerException(
                    $"{name}: the token {Vocabulary.Quote(token.Text)} is added as id {token.Id}, where "
                    + (token.Id >= 0 && !isNew ? $"the piece {Vocabulary.Quote(texts[token.Id])} stands" : $"ids go from 0 to {pieces + added.Count}")
                    + "; the files do not belong together.");
            while (texts.Count <= token.Id)
            {
                texts.Add($"[EMPTY_{texts.Count}]");
                kinds.Add((int)TokenKind.Unused);
            }
            if (isNew)
            {
                texts[token.Id] = token.Text;
                kinds[token.Id] = (int)TokenKind.UserDefined;
            }
            if (token.IsSpecial && kinds[token.Id] is (int)TokenKind.Normal or (int)TokenKind.UserDefined)
                kinds[token.Id] = (int)TokenKind.Control;
        }
    }

    private static List<ConfiguredToken> ReadAdded(string path) => JsonNode.Parse<List<ConfiguredToken>>(JsonNode.ReadFile(path), path, root =>
    {
        if (!root.IsObject)
            throw root.Unexpected("an object of ids by token");
        return
        [
            .. root.Element.EnumerateObject().Select(property => JsonNode.NameOf(property) is { } text
                ? new ConfiguredToken(root.Get(text).Integer(), text, IsSpecial: false)
                : throw root.Error("has a token that is not well-formed Unicode")),
        ];
    });
}
