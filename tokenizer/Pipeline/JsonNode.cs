using System.Text.Json;

namespace Pure.Tokenizers.Pipeline;

/// <summary>A value of a JSON file that is not trusted, with the path that leads to it.</summary>
internal readonly struct JsonNode(JsonElement element, string file, string path)
{
    /// <summary>Values within values; published files have about ten.</summary>
    private const int Deepest = 64;

    private const long MostBytes = 512L << 20;

    public JsonElement Element => element;

    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    public bool IsArray => element.ValueKind == JsonValueKind.Array;

    public bool IsString => element.ValueKind == JsonValueKind.String;

    /// <summary>Reads a whole file.</summary>
    /// <param name="json">UTF-8, perhaps with a byte order mark.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="read">What to make of it.</param>
    public static T Parse<T>(ReadOnlyMemory<byte> json, string file, Func<JsonNode, T> read)
    {
        if (json.Span.StartsWith("\uFEFF"u8))
            json = json[3..];
        try
        {
            using var document = JsonDocument.Parse(json, new() { MaxDepth = Deepest });
            return read(new JsonNode(document.RootElement, file, ""));
        }
        catch (JsonException exception)
        {
            throw new TokenizerException(
                $"{file}: not JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1} "
                + $"(values may be nested {Deepest} deep); download the file again.", exception);
        }
    }

    /// <summary>Reads a file from disk.</summary>
    public static byte[] ReadFile(string path)
    {
        try
        {
            long length = new FileInfo(path).Length;
            if (length > MostBytes)
                throw new TokenizerException($"{path}: the file has {length} bytes, where at most {MostBytes} are expected.");
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new TokenizerException($"{path}: the file cannot be read: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <summary>The value of a key; an absent key and null are the same.</summary>
    public JsonNode? Find(string key)
    {
        if (!IsObject)
            throw Unexpected("an object");
        return element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null
            ? new JsonNode(value, file, path.Length > 0 ? $"{path}.{key}" : key)
            : null;
    }

    public JsonNode Get(string key) =>
        Find(key) ?? throw Error($"has no key {Vocabulary.Quote(key)}, which is needed");

    /// <summary>The items of a list.</summary>
    public List<JsonNode> Items()
    {
        if (!IsArray)
            throw Unexpected("a list");
        var items = new List<JsonNode>(element.GetArrayLength());
        foreach (var item in element.EnumerateArray())
            items.Add(new JsonNode(item, file, $"{path}[{items.Count}]"));
        return items;
    }

    public string Text()
    {
        if (!IsString)
            throw Unexpected("a string");
        return TextOf(element) ?? throw Error("is not well-formed Unicode");
    }

    /// <summary>A string that is one character of the Basic Multilingual Plane.</summary>
    public char Character() => Text() is [var only] && !char.IsSurrogate(only) ? only : throw Unexpected("one character");

    public int Integer() =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int value) ? value : throw Unexpected("a whole number");

    public bool Boolean() => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Unexpected("true or false"),
    };

    public bool Boolean(string key, bool byDefault) => Find(key)?.Boolean() ?? byDefault;

    public string? Text(string key) => Find(key)?.Text();

    /// <summary>The value of <c>type</c>.</summary>
    public string Type() => Get("type").Text();

    /// <summary>What is wrong with this value.</summary>
    /// <param name="problem">Goes on after the value's name.</param>
    public TokenizerException Error(string problem) =>
        new($"{file}: {(path.Length > 0 ? path : "the file")} {problem}.");

    /// <summary>The value is of a type that is not supported.</summary>
    public TokenizerException Unsupported(string type, string supported) =>
        Error($"is of type {Vocabulary.Quote(type)}, which is not supported; supported are {supported}");

    public TokenizerException Unexpected(string expected) => Error($"is {Shown()}, where {expected} is expected");

    /// <summary>A string's value, or null if it has unpaired surrogates or bytes that are not UTF-8.</summary>
    public static string? TextOf(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The name of a property; see <see cref="TextOf"/>.</summary>
    public static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private string Shown() => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => TextOf(element) is { } text ? Vocabulary.Quote(text) : "a broken string",
        JsonValueKind.Number => Vocabulary.Quote(element.GetRawText()).Trim('"'),
        _ => element.ValueKind.ToString().ToLowerInvariant(),
    };
}
