namespace Pure.Chat.Templates;

/// <summary>Names and what they stand for, inside those of the scope around.</summary>
internal sealed class Scope(Scope? outer)
{
    private Dictionary<string, Value>? _names;

    internal void Set(string name, Value value) => (_names ??= new(StringComparer.Ordinal))[name] = value;

    internal Value? Find(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._names is not null && scope._names.TryGetValue(name, out Value? value))
                return value;
        }

        return null;
    }

    private Scope? Outer => outer;
}
