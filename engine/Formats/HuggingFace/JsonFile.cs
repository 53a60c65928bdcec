using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;
using Pure.Engine.Memory;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>
/// An object in one of a folder's JSON files, which are untrusted: of bounded size and depth, and every value checked for its type
/// where it is asked for. A member that is null counts as missing, as in the library that writes these files.
/// </summary>
internal sealed class JsonFile
{
    private const long LongestFile = 64 << 20;
    private const int Deepest = 32;

    private readonly JsonElement _object;
    private readonly string _path;
    private readonly JsonFile? _defaults;

    private JsonFile(string file, string path, JsonElement element, JsonFile? defaults = null)
    {
        File = file;
        _path = path;
        _object = element;
        _defaults = defaults;
    }

    /// <summary>The file's name, for messages.</summary>
    internal string File { get; }

    /// <summary>The members' names, in the order of the file.</summary>
    /// <exception cref="ModelFormatException">A name is no text (half of a surrogate pair, escaped).</exception>
    internal string[] Names
    {
        get
        {
            try
            {
                return [.. _object.EnumerateObject().Select(member => member.Name)];
            }
            catch (InvalidOperationException exception)
            {
                throw new ModelFormatException($"{File}: a name in the file is no text; the file is damaged: download it again.", exception);
            }
        }
    }

    /// <exception cref="ModelFormatException">The file is missing, too long, no JSON, or no object.</exception>
    internal static JsonFile Open(string path)
    {
        using MappedFile mapped = MappedFile.Open(path);
        string file = Path.GetFileName(path);
        if (mapped.Length > LongestFile)
            throw new ModelFormatException($"{file}: the file has {mapped.Length} bytes, at most {LongestFile} are read; check the path.");
        return Parse(mapped.View.AsSpan(0, (int)mapped.Length).ToArray(), file);
    }

    /// <exception cref="ModelFormatException">It is no JSON, or no object.</exception>
    internal static JsonFile Parse(ReadOnlyMemory<byte> json, string file)
    {
        // The parser checks text only where it is asked for; a message about a value quotes it.
        if (!Utf8.IsValid(json.Span))
            throw new ModelFormatException($"{file}: the file holds bytes that are no UTF-8 text; download it again.");
        try
        {
            var options = new JsonDocumentOptions { MaxDepth = Deepest, AllowDuplicateProperties = false };
            using JsonDocument document = JsonDocument.Parse(json, options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return new JsonFile(file, "", document.RootElement.Clone());
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            string where = exception is JsonException { LineNumber: { } line } ? $" (line {line + 1})" : "";
            throw new ModelFormatException(
                $"{file}: this is no valid JSON of at most {Deepest} levels and without repeated names{where}; download it again.", exception);
        }

        throw new ModelFormatException($"{file}: a JSON object was expected and something else found; download it again.");
    }

    /// <summary>This object with <paramref name="defaults"/> for the members that it lacks.</summary>
    internal JsonFile Over(JsonFile? defaults) => defaults is null ? this : new(File, _path, _object, defaults);

    internal bool Has(string name) => TryGet(name, out _);

    internal string? FindText(string name) => TryGet(name, out JsonElement value)
        ? value.ValueKind == JsonValueKind.String ? Text(name, value) : throw Wrong(name, value, "a string")
        : null;

    internal long Integer(string name) => FindInteger(name) ?? throw Missing(name, "an integer");

    internal long? FindInteger(string name) => TryGet(name, out JsonElement value)
        ? value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long integer) ? integer : throw Wrong(name, value, "an integer")
        : null;

    internal double Number(string name) => FindNumber(name) ?? throw Missing(name, "a number");

    internal double? FindNumber(string name) => TryGet(name, out JsonElement value)
        ? value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw Wrong(name, value, "a number")
        : null;

    internal bool? FindFlag(string name) => TryGet(name, out JsonElement value)
        ? value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(name, value, "true or false")
        : null;

    internal JsonFile? FindObject(string name) => TryGet(name, out JsonElement value)
        ? value.ValueKind == JsonValueKind.Object ? new JsonFile(File, $"{_path}{name}.", value) : throw Wrong(name, value, "an object")
        : null;

    internal string[]? FindTexts(string name) => FindArray(name, "an array of strings", JsonValueKind.String, value => Text(name, value));

    internal long[]? FindIntegers(string name) => FindArray(
        name,
        "an array of integers",
        JsonValueKind.Number,
        value => value.TryGetInt64(out long integer) ? integer : throw Wrong(name, value, "integers only"));

    /// <summary>One integer, or an array of them.</summary>
    internal long[]? FindIntegerOrIntegers(string name) =>
        TryGet(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? [Integer(name)] : FindIntegers(name);

    /// <summary>An error about a member, in the usual form.</summary>
    internal ModelFormatException Wrong(string name, object found, string expected) =>
        new($"{File}: {FileText.Quote(_path + name)} is {found}, expected {expected}; the file is damaged, or of a variant that Pure does not know.");

    private ModelFormatException Wrong(string name, JsonElement value, string expected)
    {
        string text = value.GetRawText();
        return Wrong(name, FileText.Quote(text.Length > 40 ? text[..40] + "…" : text), expected);
    }

    private ModelFormatException Missing(string name, string expected) =>
        new($"{File}: {FileText.Quote(_path + name)} is missing, {expected} was expected; download the file again.");

    private bool TryGet(string name, [NotNullWhen(true)] out JsonElement value) =>
        (_object.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null)
        || (_defaults is not null && _defaults.TryGet(name, out value));

    private T[]? FindArray<T>(string name, string expected, JsonValueKind kind, Func<JsonElement, T> convert)
    {
        if (!TryGet(name, out JsonElement array))
            return null;
        if (array.ValueKind != JsonValueKind.Array || array.EnumerateArray().Any(value => value.ValueKind != kind))
            throw Wrong(name, array, expected);
        return [.. array.EnumerateArray().Select(convert)];
    }

    private string Text(string name, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw new ModelFormatException($"{File}: {FileText.Quote(_path + name)} holds bytes that are no text; the file is damaged: download it again.", exception);
        }
    }
}
