using System.Text.Json;

namespace Pure.Serve.Http;

/// <summary>
/// The properties of a JSON object in a request, by type. One that is missing or <c>null</c> is not there; one of another type, or beyond
/// its bounds, is refused by its name.
/// </summary>
/// <param name="json">The object.</param>
/// <param name="path">What names of its properties begin with, such as <c>messages[0].</c>.</param>
internal readonly struct JsonFields(JsonElement json, string path = "")
{
    private const int MostQuoted = 40;

    /// <summary>How errors call a property.</summary>
    internal string Name(string field) => path + field;

    /// <summary>The value, or null.</summary>
    internal JsonElement? Find(string field) =>
        json.TryGetProperty(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The value.</summary>
    /// <exception cref="ApiException">It is not there.</exception>
    internal JsonElement Require(string field) => Find(field) ?? throw ApiException.Missing(Name(field));

    /// <summary>A text.</summary>
    internal string? Text(string field) => Find(field) is { } value ? TextOf(value, Name(field)) : null;

    /// <summary>True or false.</summary>
    internal bool? Switch(string field) => Find(field) is not { } value ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw WrongType(value, Name(field), "true or false"),
    };

    /// <summary>A whole number within bounds.</summary>
    internal int? Count(string field, int least, int most) => Find(field) is { } value ? CountOf(value, Name(field), least, most) : null;

    /// <summary>A number; <paramref name="bounds"/> says in words which are accepted.</summary>
    internal float? Number(string field, string bounds, Func<float, bool> accepts) =>
        Find(field) is { } value ? NumberOf(value, Name(field), bounds, accepts) : null;

    /// <summary>A whole number of 64 bits, with a sign or without.</summary>
    internal ulong? Seed(string field)
    {
        if (Find(field) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number)
            throw WrongType(value, Name(field), "a whole number");
        return value.TryGetInt64(out long signed) ? (ulong)signed
            : value.TryGetUInt64(out ulong unsigned) ? unsigned
            : throw WrongValue(value, Name(field), "a whole number of 64 bits");
    }

    internal static string TextOf(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw WrongType(value, name, "a string");

    internal static int CountOf(JsonElement value, string name, int least, int most)
    {
        string expected = $"a whole number from {least} to {most}";
        if (value.ValueKind != JsonValueKind.Number)
            throw WrongType(value, name, expected);
        double number = value.GetDouble();
        return number >= least && number <= most && Math.Truncate(number) == number ? (int)number : throw WrongValue(value, name, expected);
    }

    internal static float NumberOf(JsonElement value, string name, string bounds, Func<float, bool> accepts)
    {
        string expected = $"a number {bounds}";
        if (value.ValueKind != JsonValueKind.Number)
            throw WrongType(value, name, expected);
        var number = (float)value.GetDouble();
        return float.IsFinite(number) && accepts(number) ? number : throw WrongValue(value, name, expected);
    }

    internal static ApiException WrongType(JsonElement value, string name, string expected)
    {
        string found = value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            JsonValueKind.String => "a string",
            JsonValueKind.Number => "a number",
            JsonValueKind.Null => "null",
            _ => "true or false",
        };
        return ApiException.WrongType(name, $"The parameter '{name}' is {found}, expected {expected}.");
    }

    internal static ApiException WrongValue(JsonElement value, string name, string expected)
    {
        string raw = value.GetRawText();
        return ApiException.WrongValue(
            name, $"The parameter '{name}' is {(raw.Length <= MostQuoted ? raw : raw[..MostQuoted] + "…")}, expected {expected}.");
    }
}
