using System.Globalization;
using System.Text.Json;

namespace Pure.Engine.Generation.Grammars.JsonSchemas;

/// <summary>A part of a schema, and where it stands.</summary>
/// <param name="Element">The part.</param>
/// <param name="Pointer">Its place: a JSON pointer as a fragment, such as <c>#/properties/name</c> (RFC 6901).</param>
internal readonly record struct SchemaPlace(JsonElement Element, string Pointer)
{
    /// <summary>A member.</summary>
    internal SchemaPlace Member(string name, JsonElement value) =>
        new(value, $"{Pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}");

    /// <summary>The members of what must be an object.</summary>
    internal IEnumerable<(string Name, SchemaPlace Place)> Members()
    {
        Require(JsonValueKind.Object, "an object");
        SchemaPlace place = this;
        return Element.EnumerateObject().Select(member => (member.Name, place.Member(member.Name, member.Value)));
    }

    /// <summary>The elements of what must be an array.</summary>
    internal SchemaPlace[] Elements()
    {
        Require(JsonValueKind.Array, "an array");
        string pointer = Pointer;
        return [.. Element.EnumerateArray().Select((element, at) => new SchemaPlace(element, string.Create(CultureInfo.InvariantCulture, $"{pointer}/{at}")))];
    }

    /// <summary>What must be a text.</summary>
    internal string Text()
    {
        Require(JsonValueKind.String, "a string");
        return Element.GetString()!;
    }

    /// <summary>What must be a number.</summary>
    internal decimal Number()
    {
        Require(JsonValueKind.Number, "a number");
        return Element.TryGetDecimal(out decimal number) && Math.Abs(number) < 1e27m
            ? number
            : throw Error($"is {Element.GetRawText()}, which is too large or has too many digits");
    }

    /// <summary>What must be a count.</summary>
    internal int Count()
    {
        decimal number = Number();
        return number == decimal.Truncate(number) && number is >= 0 and <= int.MaxValue
            ? (int)number
            : throw Error($"is {Element.GetRawText()}, expected a whole number from 0 to {int.MaxValue}");
    }

    /// <summary>An error about the part.</summary>
    internal InvalidRequestException Error(string problem) => new($"The JSON schema at {Pointer} {problem}.");

    private void Require(JsonValueKind kind, string expected)
    {
        if (Element.ValueKind != kind)
            throw Error($"is {(Element.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? "an " : "a ")}{Name(Element.ValueKind)}, expected {expected}");
    }

    private static string Name(JsonValueKind kind) =>
        kind is JsonValueKind.True or JsonValueKind.False ? "boolean" : JsonNamingPolicy.CamelCase.ConvertName($"{kind}");
}
