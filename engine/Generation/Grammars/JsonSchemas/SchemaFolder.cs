using System.Text.Json;

namespace Pure.Engine.Generation.Grammars.JsonSchemas;

/// <summary>Follows references and puts the keywords of schemas that must all hold together.</summary>
/// <remarks>JSON Schema draft 2020-12, Core, sections 8 and 10, and Validation, section 6.</remarks>
internal sealed class SchemaFolder(JsonElement root)
{
    private const int MostReferences = 64; // one after the other

    private static readonly HashSet<string> Annotations = new(StringComparer.Ordinal)
    {
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema", "$id", "$defs", "definitions",
    };

    /// <summary>What some schemas demand together.</summary>
    internal SchemaConstraints Fold(IReadOnlyList<SchemaPlace> places)
    {
        var constraints = new SchemaConstraints { Pointer = places.Count == 0 ? "#" : places[0].Pointer };
        foreach (SchemaPlace place in places)
            Add(place, constraints, 0);
        return constraints;
    }

    /// <summary>Adds what a schema demands.</summary>
    /// <param name="place">The schema.</param>
    /// <param name="to">Receives it.</param>
    /// <param name="references">References that led there.</param>
    internal void Add(SchemaPlace place, SchemaConstraints to, int references)
    {
        if (place.Element.ValueKind == JsonValueKind.True)
            return;
        if (place.Element.ValueKind == JsonValueKind.False)
        {
            to.Types = SchemaTypes.None;
            to.HasTypes = true;
            return;
        }

        if (place.Element.ValueKind != JsonValueKind.Object)
            throw place.Error("is no schema; expected an object, true or false");
        List<(string Name, SchemaPlace Place)>? properties = null;
        SchemaPlace? additional = null;
        SchemaPlace[]? prefix = null;
        SchemaPlace? items = null;
        foreach ((string keyword, SchemaPlace value) in place.Members())
        {
            switch (keyword)
            {
                case "properties":
                    properties = [.. value.Members()];
                    break;
                case "additionalProperties":
                    additional = value;
                    break;
                case "prefixItems":
                    prefix = value.Elements();
                    break;
                case "items" when value.Element.ValueKind == JsonValueKind.Array:
                    prefix = value.Elements();
                    break;
                case "items" or "additionalItems":
                    items = value;
                    break;
                case "$ref" when references == MostReferences:
                    throw value.Error($"is the last of more than {MostReferences} references that lead to one another; write the schema itself");
                case "$ref":
                    Add(Find(value), to, references + 1);
                    break;
                case "allOf":
                    foreach (SchemaPlace part in value.Elements())
                        Add(part, to, references + 1);
                    break;
                case "anyOf" or "oneOf":
                    to.Choices.Add(new SchemaConstraints.Choice(value.Elements(), keyword == "oneOf", value.Pointer));
                    break;
                default:
                    if (!Annotations.Contains(keyword))
                        AddAssertion(keyword, value, to);
                    break;
            }
        }

        if (properties is not null || additional is not null)
        {
            to.About |= SchemaTypes.Object;
            to.Objects.Add(new SchemaConstraints.ObjectPart((properties ?? []).ToLookup(property => property.Name, property => property.Place), additional));
        }

        if (prefix is not null || items is not null)
        {
            to.About |= SchemaTypes.Array;
            to.Arrays.Add(new SchemaConstraints.ArrayPart(prefix ?? [], items));
        }
    }

    private static void AddAssertion(string keyword, SchemaPlace value, SchemaConstraints to)
    {
        switch (keyword)
        {
            case "type":
                to.HasTypes = true;
                to.Types &= value.Element.ValueKind == JsonValueKind.Array
                    ? value.Elements().Aggregate(SchemaTypes.None, (types, element) => types | Type(element))
                    : Type(value);
                return;
            case "enum":
                to.LimitTo([.. value.Elements().Select(element => element.Element)]);
                return;
            case "const":
                to.LimitTo([value.Element]);
                return;
            case "required":
                to.About |= SchemaTypes.Object;
                to.Required.AddRange(value.Elements().Select(element => element.Text()));
                return;
            case "minItems":
                to.About |= SchemaTypes.Array;
                to.LeastItems = Math.Max(to.LeastItems, value.Count());
                return;
            case "maxItems":
                to.About |= SchemaTypes.Array;
                to.MostItems = Math.Min(to.MostItems ?? int.MaxValue, value.Count());
                return;
            case "minLength":
                to.About |= SchemaTypes.String;
                to.LeastLength = Math.Max(to.LeastLength, value.Count());
                return;
            case "maxLength":
                to.About |= SchemaTypes.String;
                to.MostLength = Math.Min(to.MostLength ?? int.MaxValue, value.Count());
                return;
            case "pattern" or "format":
                to.About |= SchemaTypes.String;
                to.Patterns.Add(keyword == "format" ? StringFormat.Pattern(value) : value.Text());
                return;
            case "minimum" or "exclusiveMinimum":
                to.About |= SchemaTypes.Number;
                to.Range = to.Range.And(new NumberRange(value.Number(), keyword != "minimum", null, false));
                return;
            case "maximum" or "exclusiveMaximum":
                to.About |= SchemaTypes.Number;
                to.Range = to.Range.And(new NumberRange(null, false, value.Number(), keyword != "maximum"));
                return;
            case "multipleOf":
                to.About |= SchemaTypes.Number;
                to.Factors.Add(value.Number() is > 0 and <= int.MaxValue and var factor && factor == decimal.Truncate(factor)
                    ? (long)factor
                    : throw value.Error($"is {value.Element.GetRawText()}; supported are whole numbers from 1 to {int.MaxValue}"));
                return;
            case "uniqueItems" when value.Element.ValueKind == JsonValueKind.False:
                return;
            default:
                throw value.Error($"is the keyword '{keyword}', which is not supported");
        }
    }

    private static SchemaTypes Type(SchemaPlace place) => place.Text() switch
    {
        "null" => SchemaTypes.Null,
        "boolean" => SchemaTypes.Boolean,
        "integer" => SchemaTypes.Integer,
        "number" => SchemaTypes.Number,
        "string" => SchemaTypes.String,
        "array" => SchemaTypes.Array,
        "object" => SchemaTypes.Object,
        var other => throw place.Error($"is the type '{other}'; there are null, boolean, integer, number, string, array and object"),
    };

    private SchemaPlace Find(SchemaPlace reference)
    {
        string text = reference.Text();
        if (!text.StartsWith('#') || (text.Length > 1 && text[1] != '/'))
            throw reference.Error($"refers to '{text}'; only places in the same schema are supported, such as #/$defs/name");
        var place = new SchemaPlace(root, "#");
        foreach (string step in Uri.UnescapeDataString(text).Split('/').Skip(1))
        {
            string name = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            place = place.Element.ValueKind switch
            {
                JsonValueKind.Object => place.Element.TryGetProperty(name, out JsonElement member) ? place.Member(name, member) : default,
                JsonValueKind.Array => place.Elements().ElementAtOrDefault(int.TryParse(name, out int at) ? at : -1),
                _ => default,
            };
            if (place.Pointer is null)
                throw reference.Error($"refers to '{text}', which is not there");
        }

        return place;
    }
}
