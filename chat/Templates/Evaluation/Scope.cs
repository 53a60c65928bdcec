namespace Pure.Chat.Templates;

/// <summary>Names and what they stand for, inside those of the scope around.</summary>
internal sealed class Scope
{
    /// <summary>Macros that define macros could make scopes nest without nesting calls; a name is looked for through all of them.</summary>
    private const int MostDepth = 2000;

    private readonly Scope? _outer;
    private readonly int _depth;
    private Dictionary<string, Value>? _names;

    internal Scope(Scope? outer)
    {
        _outer = outer;
        _depth = outer is null ? 0 : outer._depth + 1;
        if (_depth > MostDepth)
            throw new Fault($"scopes nest deeper than {MostDepth} levels");
    }

    internal void Set(string name, Value value) => (_names ??= new(StringComparer.Ordinal))[name] = value;

    internal Value? Find(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope._outer)
        {
            if (scope._names is not null && scope._names.TryGetValue(name, out Value? value))
                return value;
        }

        return null;
    }
}
