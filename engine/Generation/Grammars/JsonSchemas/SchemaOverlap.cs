using System.Text.Json;

namespace Pure.Engine.Generation.Grammars.JsonSchemas;

/// <summary>Tells whether two schemas have no value in common, of those that are written for one of them; where it cannot tell, it says no.</summary>
internal static class SchemaOverlap
{
    private const int MostNesting = 4;

    /// <summary>Whether they are sure to have no value in common.</summary>
    internal static bool AreApart(SchemaConstraints one, SchemaConstraints other, SchemaFolder folder) => AreApart(one, other, folder, 0);

    private static bool AreApart(SchemaConstraints one, SchemaConstraints other, SchemaFolder folder, int nesting)
    {
        SchemaTypes shared = one.Types & other.Types & (one.Written | other.Written);
        if (shared == SchemaTypes.None)
            return true;
        if (one.Values is { } values)
            return values.TrueForAll(value => !Allows(other, value));
        if (other.Values is not null)
            return AreApart(other, one, folder, nesting);
        return (!shared.HasFlag(SchemaTypes.Null) && !shared.HasFlag(SchemaTypes.Boolean))
            && ((shared & SchemaTypes.Number) == 0 || one.Range.IsApartFrom(other.Range))
            && (!shared.HasFlag(SchemaTypes.String) || one.MostLength < other.LeastLength || other.MostLength < one.LeastLength)
            && (!shared.HasFlag(SchemaTypes.Array) || one.MostItems < other.LeastItems || other.MostItems < one.LeastItems)
            && (!shared.HasFlag(SchemaTypes.Object) || HaveApartMember(one, other, folder, nesting));
    }

    private static bool Allows(SchemaConstraints constraints, JsonElement value) =>
        constraints.Values is { } values
            ? values.Exists(listed => JsonElement.DeepEquals(listed, value))
            : value.ValueKind is JsonValueKind.Object or JsonValueKind.Array
                ? (constraints.Types & SchemaConstraints.TypeOf(value)) != 0
                : constraints.Allows(value);

    /// <summary>Whether a member that both require has no value that would do for both.</summary>
    private static bool HaveApartMember(SchemaConstraints one, SchemaConstraints other, SchemaFolder folder, int nesting) =>
        nesting < MostNesting && one.Required.Intersect(other.Required).Any(name =>
            AreApart(folder.Fold(Places(one, name)), folder.Fold(Places(other, name)), folder, nesting + 1));

    private static SchemaPlace[] Places(SchemaConstraints constraints, string name) =>
        [.. constraints.Objects.SelectMany(part => part.Properties[name])];
}
