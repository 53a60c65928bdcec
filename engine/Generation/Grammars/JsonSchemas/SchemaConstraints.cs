using System.Text;
using System.Text.Json;

namespace Pure.Engine.Generation.Grammars.JsonSchemas;

/// <summary>All that several schemas together demand of a value, keyword by keyword.</summary>
internal sealed class SchemaConstraints
{
    private const int MostValues = 1_000_000;

    private List<Grammar>? _matchers; // of the patterns

    /// <summary>What one schema says about members.</summary>
    internal sealed record ObjectPart(ILookup<string, SchemaPlace> Properties, SchemaPlace? Additional);

    /// <summary>What one schema says about elements.</summary>
    internal sealed record ArrayPart(SchemaPlace[] Prefix, SchemaPlace? Items);

    /// <summary>Schemas one of which must hold, or exactly one.</summary>
    internal sealed record Choice(SchemaPlace[] Options, bool IsExclusive, string Pointer);

    /// <summary>The types that <c>type</c> leaves.</summary>
    internal SchemaTypes Types { get; set; } = SchemaTypes.All;

    /// <summary>The types that other keywords are about.</summary>
    internal SchemaTypes About { get; set; }

    /// <summary>Whether the types were said.</summary>
    internal bool HasTypes { get; set; }

    /// <summary>The values that are left, where they were listed.</summary>
    internal List<JsonElement>? Values { get; set; }

    internal List<ObjectPart> Objects { get; private init; } = [];

    internal List<string> Required { get; private init; } = [];

    internal List<ArrayPart> Arrays { get; private init; } = [];

    internal int LeastItems { get; set; }

    internal int? MostItems { get; set; }

    internal int LeastLength { get; set; }

    internal int? MostLength { get; set; }

    /// <summary>Regular expressions, of <c>pattern</c> and <c>format</c>.</summary>
    internal List<string> Patterns { get; private init; } = [];

    internal NumberRange Range { get; set; }

    internal List<long> Factors { get; private init; } = [];

    internal List<Choice> Choices { get; private init; } = [];

    /// <summary>Where the first of the schemas stands.</summary>
    internal required string Pointer { get; init; }

    /// <summary>The types of what is written.</summary>
    internal SchemaTypes Written => HasTypes || About == SchemaTypes.None ? Types : Types & About;

    /// <summary>Whether nothing is demanded but the choices.</summary>
    internal bool IsPlain => !HasTypes && Types == SchemaTypes.All && About == SchemaTypes.None && Values is null;

    private List<Grammar> Matchers => _matchers ??= [.. Patterns.Select(Grammar.FromRegexSearch)];

    /// <summary>A copy without the last choice.</summary>
    internal SchemaConstraints WithoutLastChoice() => new()
    {
        Pointer = Pointer,
        Types = Types,
        About = About,
        HasTypes = HasTypes,
        Values = Values,
        Objects = [.. Objects],
        Required = [.. Required],
        Arrays = [.. Arrays],
        LeastItems = LeastItems,
        MostItems = MostItems,
        LeastLength = LeastLength,
        MostLength = MostLength,
        Patterns = [.. Patterns],
        Range = Range,
        Factors = [.. Factors],
        Choices = [.. Choices.SkipLast(1)],
    };

    /// <summary>Demands one of some values.</summary>
    /// <exception cref="InvalidRequestException">There are too many to compare with those demanded before.</exception>
    internal void LimitTo(JsonElement[] values)
    {
        HasTypes = true;
        if ((long)values.Length * (Values?.Count ?? 1) > MostValues)
            throw new InvalidRequestException($"The JSON schema at {Pointer} lists too many values; make the lists shorter.");
        Values = [.. Values is null ? values : values.Where(value => Values.Exists(other => JsonElement.DeepEquals(value, other)))];
    }

    /// <summary>Whether a listed value meets all else.</summary>
    /// <exception cref="InvalidRequestException">It is an object or an array, and more is demanded than its type.</exception>
    internal bool Allows(JsonElement value)
    {
        SchemaTypes type = TypeOf(value);
        if ((Types & type) == 0)
            return false;
        switch (type)
        {
            case SchemaTypes.Integer or SchemaTypes.Fraction:
                decimal number = new SchemaPlace(value, Pointer).Number();
                return Range.Contains(number) && Factors.TrueForAll(factor => number % factor == 0);
            case SchemaTypes.String:
                string text = value.GetString()!;
                int length = text.EnumerateRunes().Count();
                return length >= LeastLength && !(length > MostLength) && Matchers.TrueForAll(matcher => matcher.Matches(text));
            case SchemaTypes.Object when Objects.Count + Required.Count > 0:
            case SchemaTypes.Array when Arrays.Count + LeastItems > 0 || MostItems is not null:
                throw new InvalidRequestException(
                    $"The JSON schema at {Pointer} lists values and says more about objects or arrays among them, which is not supported; leave out one of the two.");
            default:
                return true;
        }
    }

    /// <summary>The type of a value.</summary>
    internal static SchemaTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => SchemaTypes.Object,
        JsonValueKind.Array => SchemaTypes.Array,
        JsonValueKind.String => SchemaTypes.String,
        JsonValueKind.Number => value.TryGetDecimal(out decimal number) && number != decimal.Truncate(number) ? SchemaTypes.Fraction : SchemaTypes.Integer,
        JsonValueKind.True or JsonValueKind.False => SchemaTypes.Boolean,
        _ => SchemaTypes.Null,
    };
}
