namespace Pure.Engine.Generation.Grammars.JsonSchemas;

/// <summary>The formats of strings, as regular expressions. Years are those from 1000 to 2999, which every library can count.</summary>
/// <remarks>JSON Schema draft 2020-12, Validation, section 7.3; RFC 3339, section 5.6, without leap seconds; RFC 9562.</remarks>
internal static class StringFormat
{
    private const string Clock = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])";

    private const string LeapYear = "([12][0-9](0[48]|[2468][048]|[13579][26])|(12|16|20|24|28)00)";

    private const string Day =
        "([12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
        + $"|{LeapYear}-02-29)";

    private static readonly Dictionary<string, string> Patterns = new(StringComparer.Ordinal)
    {
        ["date"] = Day,
        ["time"] = Clock,
        ["date-time"] = $"{Day}T{Clock}",
        ["uuid"] = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    };

    /// <summary>The pattern of the whole string.</summary>
    /// <exception cref="InvalidRequestException">There is no such format.</exception>
    internal static string Pattern(SchemaPlace place) => Patterns.TryGetValue(place.Text(), out string? pattern)
        ? $"^{pattern}$"
        : throw place.Error($"is the format '{place.Text()}', which is not supported; supported are {string.Join(", ", Patterns.Keys)}");
}
