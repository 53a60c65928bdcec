using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>The functions that every template can call.</summary>
internal static class Globals
{
    private static readonly FunctionTable Table = new(
        new Builtin("range", "start, stop?, step?", (a, _) => Range(a)),
        new Builtin("namespace", "*dictionaries, **attributes", (a, e) => new NamespaceValue(Dictionary(a, e))),
        new Builtin("dict", "*dictionaries, **entries", Dictionary),
        new Builtin("cycler", "*items", (a, _) => a.Rest.Length > 0 ? new CyclerValue(a.Rest) : throw new Fault("'cycler' needs items")),
        new Builtin("joiner", "sep?", (a, _) => new JoinerValue(a.Find(0) ?? new TextValue(", "))),
        new Builtin("raise_exception", "message", (a, e) => throw new RaisedFault(e.Str(a[0]))),
        new Builtin("strftime_now", "format", (a, e) => StrftimeNow(a.Text(0), e)));

    /// <summary>The outermost scope; nothing is ever set in it.</summary>
    internal static Scope Scope { get; } = MakeScope();

    private static Scope MakeScope()
    {
        var scope = new Scope(null);
        foreach (Builtin builtin in Table.All)
            scope.Set(builtin.Name, new FunctionValue(builtin));
        return scope;
    }

    private static RangeValue Range(BuiltinArguments arguments)
    {
        BigInteger start = arguments.Has(1) ? arguments.Integer(0) : BigInteger.Zero;
        BigInteger stop = arguments.Integer(arguments.Has(1) ? 1 : 0);
        BigInteger step = arguments.Has(2) ? arguments.Integer(2) : BigInteger.One;
        return step.IsZero ? throw new Fault("'range' needs a step that is not 0") : new RangeValue(start, stop, step);
    }

    /// <summary>A new dictionary of another one, or of pairs, and of named arguments.</summary>
    internal static DictionaryValue Dictionary(BuiltinArguments arguments, Evaluator evaluator)
    {
        var dictionary = new DictionaryValue(evaluator.Budget);
        if (arguments.Rest.Length > 1)
            throw new Fault($"'dict' takes at most 1 argument without a name, found {arguments.Rest.Length}");
        if (arguments.Rest is [var source])
            AddAll(dictionary, source, evaluator);
        foreach ((string name, Value value) in arguments.Named)
            dictionary.Set(new TextValue(name), value);
        return dictionary;
    }

    /// <summary>Adds a dictionary's entries, or pairs.</summary>
    internal static void AddAll(DictionaryValue dictionary, Value source, Evaluator evaluator)
    {
        if (source is DictionaryValue other)
        {
            dictionary.AddAll(other);
            return;
        }

        foreach (Value pair in evaluator.Iterate(source))
        {
            if (evaluator.ToList(pair) is not [var key, var value])
                throw new Fault("a dictionary is made of pairs, and an item is none");
            dictionary.Set(key, value);
        }
    }

    private static TextValue StrftimeNow(string format, Evaluator evaluator)
    {
        // The longest directive, %c, writes 24 characters.
        evaluator.Budget.NewText(24L * format.Length);
        return new TextValue(StrfTime.Format(format, evaluator.Now));
    }
}
