namespace Pure.Chat.Templates;

/// <summary>The methods of dictionaries.</summary>
internal static class DictionaryMethods
{
    internal static readonly FunctionTable Table = new(
        new Builtin("get", "self, key, default?", (a, _) => Self(a).Find(a[1]) ?? a.Find(2) ?? NoneValue.Instance),
        new Builtin("keys", "self", (a, _) => new DictionaryView(Self(a), "dict_keys", Self(a).Keys)),
        new Builtin("values", "self", (a, _) => new DictionaryView(Self(a), "dict_values", Self(a).Values)),
        new Builtin("items", "self", (a, _) => new DictionaryView(Self(a), "dict_items", Self(a).Entries)),
        new Builtin("pop", "self, key, default?", (a, _) => Self(a).Remove(a[1]) ?? a.Find(2) ?? throw new Fault("pop: the key is not in the dictionary")),
        new Builtin("popitem", "self", (a, _) => PopItem(Self(a))),
        new Builtin("setdefault", "self, key, default?", (a, _) => SetDefault(Self(a), a[1], a.Find(2) ?? NoneValue.Instance)),
        new Builtin("update", "self, *dictionaries, **entries", Update),
        new Builtin("copy", "self", (a, e) => Copy(Self(a), e)),
        new Builtin("clear", "self", (a, _) => Clear(Self(a))));

    private static DictionaryValue Self(BuiltinArguments arguments) => (DictionaryValue)arguments[0];

    private static TupleValue PopItem(DictionaryValue dictionary) => dictionary.RemoveLast() is { } last
        ? new TupleValue([last.Key, last.Value])
        : throw new Fault("popitem: the dictionary is empty");

    private static Value SetDefault(DictionaryValue dictionary, Value key, Value value)
    {
        if (dictionary.Find(key) is { } there)
            return there;
        dictionary.Set(key, value);
        return value;
    }

    private static NoneValue Update(BuiltinArguments arguments, Evaluator evaluator)
    {
        foreach (Value source in arguments.Rest)
            Globals.AddAll(Self(arguments), source, evaluator);
        foreach ((string name, Value value) in arguments.Named)
            Self(arguments).Set(new TextValue(name), value);
        return NoneValue.Instance;
    }

    private static DictionaryValue Copy(DictionaryValue dictionary, Evaluator evaluator)
    {
        var copy = new DictionaryValue(evaluator.Budget);
        copy.AddAll(dictionary);
        return copy;
    }

    private static NoneValue Clear(DictionaryValue dictionary)
    {
        dictionary.Clear();
        return NoneValue.Instance;
    }
}
