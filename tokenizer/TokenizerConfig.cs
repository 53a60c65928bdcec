using Pure.Tokenizers.Pipeline;

namespace Pure.Tokenizers;

/// <summary>What a <c>tokenizer_config.json</c> says; <see langword="null"/> where it says nothing.</summary>
public sealed record TokenizerConfig
{
    internal const string FileName = "tokenizer_config.json";

    /// <summary><c>bos_token</c>: the text of the token that begins a text.</summary>
    public string? Bos { get; init; }

    /// <summary><c>eos_token</c>: the text of the token that ends a text.</summary>
    public string? Eos { get; init; }

    /// <summary><c>unk_token</c>: the text of the token for what the vocabulary cannot spell.</summary>
    public string? Unknown { get; init; }

    /// <summary><c>pad_token</c>: the text of the token that fills up a row.</summary>
    public string? Padding { get; init; }

    /// <summary><c>add_bos_token</c></summary>
    public bool? AddBos { get; init; }

    /// <summary><c>add_eos_token</c></summary>
    public bool? AddEos { get; init; }

    /// <summary><c>chat_template</c>, as it stands; where the file has several, the one named <c>default</c>.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>The chat templates by name, where the file has several.</summary>
    public IReadOnlyDictionary<string, string> NamedChatTemplates { get; init; } = new Dictionary<string, string>();

    /// <summary><c>added_tokens_decoder</c></summary>
    internal IReadOnlyList<ConfiguredToken> Added { get; init; } = [];

    /// <summary>Reads a file.</summary>
    /// <exception cref="TokenizerException">It cannot be read, or does not hold what it should.</exception>
    public static TokenizerConfig Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Read(JsonNode.ReadFile(path), path);
    }

    /// <summary>Reads the bytes of a file.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="name">The file's name, for messages.</param>
    /// <exception cref="TokenizerException">The file does not hold what it should.</exception>
    public static TokenizerConfig Read(ReadOnlyMemory<byte> json, string name = FileName) =>
        JsonNode.Parse(json, name, static root =>
        {
            var templates = new Dictionary<string, string>(StringComparer.Ordinal);
            var template = root.Find("chat_template");
            if (template is { IsArray: true } several)
            {
                foreach (var item in several.Items())
                    templates[item.Get("name").Text()] = item.Get("template").Text();
            }
            return new TokenizerConfig
            {
                Bos = Token("bos_token"),
                Eos = Token("eos_token"),
                Unknown = Token("unk_token"),
                Padding = Token("pad_token"),
                AddBos = root.Find("add_bos_token")?.Boolean(),
                AddEos = root.Find("add_eos_token")?.Boolean(),
                ChatTemplate = template is { IsArray: false } one ? one.Text() : templates.GetValueOrDefault("default"),
                NamedChatTemplates = templates,
                Added = ReadAdded(root.Find("added_tokens_decoder")),
            };

            // A token is its text, or an object that holds it.
            string? Token(string key) => root.Find(key) is { } token
                ? token.IsObject ? token.Get("content").Text() : token.Text()
                : null;
        });

    private static List<ConfiguredToken> ReadAdded(JsonNode? node)
    {
        List<ConfiguredToken> added = [];
        if (node is not { IsObject: true } tokens)
            return added;
        foreach (var property in tokens.Element.EnumerateObject())
        {
            string? name = JsonNode.NameOf(property);
            if (!int.TryParse(name, System.Globalization.CultureInfo.InvariantCulture, out int id))
                throw tokens.Error($"has the key {Vocabulary.Quote(name ?? "")}, where the id of a token is expected");
            var token = tokens.Get(name);
            added.Add(new(id, token.Get("content").Text(), token.Boolean("special", false)));
        }
        return added;
    }
}

/// <summary>A token that a configuration adds to a vocabulary.</summary>
internal readonly record struct ConfiguredToken(int Id, string Text, bool IsSpecial);
