using Pure.Tokenizers.Pipeline;

namespace Pure.Tokenizers;

/// <summary>
/// Reads the tokenizers of Hugging Face's <c>tokenizers</c> library: a <c>tokenizer.json</c> and, beside it, a
/// <c>tokenizer_config.json</c>. The files are not trusted.
/// </summary>
public static class TokenizerJson
{
    private const string FileName = "tokenizer.json";

    /// <summary>Makes the tokenizer of a file.</summary>
    /// <param name="path">A <c>tokenizer.json</c>, or the folder that holds it. A <c>tokenizer_config.json</c> in the same
    /// folder says which tokens begin and end a text.</param>
    /// <exception cref="TokenizerException">A file cannot be read, contradicts itself, or asks for something that is not
    /// supported.</exception>
    public static Tokenizer Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        string config = Path.Combine(Path.GetDirectoryName(file) ?? "", TokenizerConfig.FileName);
        return Create(JsonNode.ReadFile(file), File.Exists(config) ? TokenizerConfig.Open(config) : null, file);
    }

    /// <summary>Makes the tokenizer of the bytes of a <c>tokenizer.json</c>.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="config">What goes with it, if known.</param>
    /// <param name="name">The file's name, for messages.</param>
    /// <exception cref="TokenizerException">As for <see cref="Open"/>.</exception>
    public static Tokenizer Create(ReadOnlyMemory<byte> json, TokenizerConfig? config = null, string name = FileName) =>
        JsonNode.Parse(json, name, root => Create(root, config ?? new TokenizerConfig()));

    private static PipelineTokenizer Create(JsonNode root, TokenizerConfig config)
    {
        var model = root.Get("model");
        var texts = ModelReader.ReadTokens(model);
        var ids = new Dictionary<string, int>(texts.Count, StringComparer.Ordinal);
        for (int id = 0; id < texts.Count; id++)
        {
            if (texts[id] is { } text && !ids.TryAdd(text, id))
                throw model.Error($"has the token {Vocabulary.Quote(text)} twice, as ids {ids[text]} and {id}");
        }
        var subwords = ModelReader.Read(model, texts, ids);
        int? unknown = ModelReader.Unknown(model, texts, ids);

        var normalizer = root.Find("normalizer") is { } normalizing ? StepReader.ReadNormalizer(normalizing) : null;
        var added = ReadAdded(root, texts, ids, out var inNormalized);
        var decoder = DecoderReader.Read(root.Find("decoder"));
        int[] kinds = Kinds(texts, [.. added, .. inNormalized], decoder);
        var frame = Framed(root, config, texts.Count, Id);

        var vocabulary = new Vocabulary(
            new VocabularyData
            {
                Model = "",
                Tokens = [.. texts.Select(text => text ?? "")],
                Kinds = kinds,
                Bos = Id(config.Bos) ?? Only(frame.Prefix),
                Eos = Id(config.Eos) ?? Only(frame.Suffix),
                Unknown = Id(config.Unknown) ?? unknown,
                Padding = Id(config.Padding),
            },
            (text, kind) => decoder.Decode(text, PipelineTokenizer.IsAdded(kind), isFirst: false));
        // A kind may have been corrected by then, and decides what text of unknown origin can forge.
        return new PipelineTokenizer(new()
        {
            Vocabulary = vocabulary,
            Added = new(added.Select(token => token with { IsSpecial = vocabulary.Kind(token.Id) == TokenKind.Control })),
            AddedNormalized = new(
                from token in inNormalized
                let text = normalizer?.Apply(token.Text) ?? token.Text
                where text.Length > 0
                select token with { Text = text, IsSpecial = vocabulary.Kind(token.Id) == TokenKind.Control }),
            Normalizer = normalizer,
            Splitter = root.Find("pre_tokenizer") is { } splitting ? StepReader.ReadSplitter(splitting) : null,
            Model = subwords,
            Frame = frame,
            Decoder = decoder,
        });

        int? Id(string? text) => text is not null && ids.TryGetValue(text, out int id) ? id : null;

        static int? Only(int[] tokens) => tokens.Length == 1 ? tokens[0] : null;
    }

    /// <summary>Reads the added tokens and gives those that the model does not have their places in the vocabulary.</summary>
    private static List<AddedToken> ReadAdded(
        JsonNode root, List<string?> texts, Dictionary<string, int> ids, out List<AddedToken> inNormalized)
    {
        List<AddedToken> added = [];
        inNormalized = [];
        var nodes = root.Find("added_tokens")?.Items() ?? [];
        int count = texts.Count + nodes.Count;
        foreach (var node in nodes)
        {
            string text = node.Get("content").Text();
            if (text.Length == 0)
                continue;
            // A token that the model has keeps the model's id, whatever is said here.
            if (!ids.TryGetValue(text, out int id))
            {
                id = node.Get("id").Integer();
                ModelReader.Place(texts, id, text, count, node);
                ids.Add(text, id);
            }
            bool isSpecial = node.Boolean("special", false);
            var token = new AddedToken(
                id, text, isSpecial, node.Boolean("single_word", false), node.Boolean("lstrip", false), node.Boolean("rstrip", false));
            (node.Boolean("normalized", !isSpecial) ? inNormalized : added).Add(token);
        }
        return added;
    }

    private static int[] Kinds(List<string?> texts, List<AddedToken> added, TokenDecoder decoder)
    {
        int[] kinds = [.. texts.Select(text => (int)(text switch
        {
            null or "" => TokenKind.Unused,
            _ when decoder.HasByteTokens && TokenDecoder.IsByteToken(text, out _) => TokenKind.Byte,
            _ => TokenKind.Normal,
        }))];
        foreach (var token in added)
            kinds[token.Id] = (int)(token.IsSpecial ? TokenKind.Control : TokenKind.UserDefined);
        return kinds;
    }

    /// <summary>What goes around a text: as the post-processor says, unless the configuration says otherwise of the tokens
    /// that begin and end it.</summary>
    private static Frame Framed(JsonNode root, TokenizerConfig config, int size, Func<string?, int?> id)
    {
        var frame = Frame.Read(root.Find("post_processor"), size);
        if (id(config.Bos) is { } bos && config.AddBos is { } addsBos)
            frame = frame with { Prefix = [.. addsBos ? [bos] : Array.Empty<int>(), .. frame.Prefix.Where(token => token != bos)] };
        if (id(config.Eos) is { } eos && config.AddEos is { } addsEos)
            frame = frame with { Suffix = [.. frame.Suffix.Where(token => token != eos), .. addsEos ? [eos] : Array.Empty<int>()] };
        return frame;
    }
}
