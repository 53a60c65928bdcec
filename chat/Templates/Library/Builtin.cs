using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>What a function of the language does.</summary>
internal delegate Value BuiltinBody(BuiltinArguments arguments, Evaluator evaluator);

/// <summary>
/// A function, method, filter or test of the language. Its parameters are named in one string: <c>value, width?, *rest, **named</c>;
/// those with a question mark may be left out.
/// </summary>
internal sealed class Builtin
{
    private readonly string[] _parameters;
    private readonly int _required;
    private readonly bool _takesRest;
    private readonly bool _takesNamed;
    private readonly BuiltinBody _body;

    internal Builtin(string name, string parameters, BuiltinBody body)
    {
        string[] words = parameters.Split(", ", StringSplitOptions.RemoveEmptyEntries);
        Name = name;
        _parameters = [.. words.Where(word => word[0] != '*').Select(word => word.TrimEnd('?'))];
        _required = words.Count(word => word[0] != '*' && word[^1] != '?');
        _takesRest = words.Any(word => word[0] == '*' && word[1] != '*');
        _takesNamed = words.Any(word => word.StartsWith("**", StringComparison.Ordinal));
        _body = body;
    }

    internal string Name { get; }

    internal Value Call(CallArguments arguments, Evaluator evaluator)
    {
        evaluator.Budget.Step((arguments.Positional.Length + arguments.Named.Length) / 8);
        var values = new Value?[_parameters.Length];
        int given = Math.Min(values.Length, arguments.Positional.Length);
        Array.Copy(arguments.Positional, values, given);
        if (arguments.Positional.Length > given && !_takesRest)
            throw new Fault($"'{Name}' takes at most {_parameters.Length} arguments, found {arguments.Positional.Length}");
        var named = new List<(string, Value)>();
        foreach ((string name, Value value) in arguments.Named)
        {
            int at = Array.IndexOf(_parameters, name);
            if (at >= 0 && values[at] is null)
                values[at] = value;
            else if (_takesNamed && at < 0)
                named.Add((name, value));
            else
                throw new Fault($"'{Name}' takes no argument named '{name}' here");
        }

        for (int i = 0; i < _required; i++)
        {
            if (values[i] is null)
                throw new Fault($"'{Name}' lacks its argument '{_parameters[i]}'");
        }

        return _body(new BuiltinArguments(Name, _parameters, values, arguments.Positional[given..], [.. named]), evaluator);
    }
}

/// <summary>The arguments of a call, each in the place of its parameter.</summary>
internal sealed class BuiltinArguments(
    string callee, string[] parameters, Value?[] values, Value[] rest, (string Name, Value Value)[] named)
{
    /// <summary>Positional arguments beyond the parameters.</summary>
    internal Value[] Rest => rest;

    /// <summary>Named arguments beyond the parameters.</summary>
    internal (string Name, Value Value)[] Named => named;

    /// <summary>All that was passed beyond the first <paramref name="count"/> parameters.</summary>
    internal CallArguments After(int count) => new([.. values[count..].OfType<Value>(), .. rest], named);

    /// <summary>A parameter that must be given.</summary>
    internal Value this[int at] => values[at]!;

    internal Value? Find(int at) => values[at];

    internal bool Has(int at) => values[at] is not null;

    internal bool IsTrue(int at, bool fallback = false) => values[at]?.IsTrue ?? fallback;

    internal string Text(int at) => values[at] switch
    {
        TextValue text => text.Text,
        _ => throw Wrong(at, "a string"),
    };

    internal string Text(int at, string fallback) => values[at] is null ? fallback : Text(at);

    /// <summary>A text, or null where it is left out or none.</summary>
    internal string? TextOrNull(int at) => values[at] is null or NoneValue ? null : Text(at);

    internal BigInteger Integer(int at) =>
        Numbers.TryInteger(values[at], out BigInteger number) ? number : throw Wrong(at, "a whole number");

    /// <summary>A whole number, cut to what a position or a count can be.</summary>
    internal int Count(int at, int fallback) => values[at] is null or NoneValue ? fallback : Numbers.Clamp(Integer(at));

    internal Fault Wrong(int at, string expected) => values[at] is UndefinedValue undefined
        ? new Fault(undefined.Problem)
        : new Fault($"'{callee}' expects {expected} as '{parameters[at]}', found a value of type {values[at]?.TypeName ?? "none"}");
}

/// <summary>Functions by name.</summary>
internal sealed class FunctionTable(params Builtin[] builtins)
{
    private readonly FrozenDictionary<string, Builtin> _builtins =
        builtins.ToFrozenDictionary(builtin => builtin.Name, StringComparer.Ordinal);

    internal bool TryFind(string name, [NotNullWhen(true)] out Builtin? builtin) => _builtins.TryGetValue(name, out builtin);

    internal IEnumerable<Builtin> All => _builtins.Values;

    /// <summary>The method <paramref name="name"/> of <paramref name="self"/>, or null.</summary>
    internal FunctionValue? Bind(string name, Value self) => TryFind(name, out Builtin? builtin) ? new FunctionValue(builtin, self) : null;
}
