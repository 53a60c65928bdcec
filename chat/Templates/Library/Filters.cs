namespace Pure.Chat.Templates;

/// <summary>All filters: what can follow <c>|</c>.</summary>
internal static class Filters
{
    internal static readonly FunctionTable Table = new(
        [.. TextFilters.All, .. NumberFilters.All, .. SequenceFilters.All, .. SelectionFilters.All, .. JsonFilters.All]);
}
