namespace Pure.Chat.Templates;

/// <summary>A dictionary, in the order in which keys came.</summary>
internal sealed class DictionaryValue(Budget budget) : Value
{
    private readonly OrderedDictionary<Value, Value> _items = new(new KeyComparer(budget));

    internal int Count => _items.Count;

    internal IEnumerable<KeyValuePair<Value, Value>> Pairs => _items;

    internal override string TypeName => "dict";

    internal override bool IsTrue => _items.Count > 0;

    internal override long? Length => _items.Count;

    internal override IEnumerable<Value> Iterate(Budget budget) => Keys(budget);

    internal override Value? Attribute(string name) => DictionaryMethods.Table.Bind(name, this);

    internal override Value? Item(Value key, Budget budget) => IsHashable(key) ? Find(key) : null;

    internal Value? Find(Value key) => _items.TryGetValue(key, out Value? value) ? value : null;

    internal void Set(Value key, Value value) => _items[key] = value;

    /// <summary>Takes a key out; its value, or null where it is not there.</summary>
    internal Value? Remove(Value key)
    {
        budget.Step(_items.Count);
        return _items.Remove(key, out Value? value) ? value : null;
    }

    internal KeyValuePair<Value, Value>? RemoveLast()
    {
        if (_items.Count == 0)
            return null;
        KeyValuePair<Value, Value> last = _items.GetAt(_items.Count - 1);
        _items.RemoveAt(_items.Count - 1);
        return last;
    }

    internal void Clear() => _items.Clear();

    internal void AddAll(DictionaryValue other)
    {
        budget.Step(other.Count);
        foreach (KeyValuePair<Value, Value> pair in other._items.ToArray())
            Set(pair.Key, pair.Value);
    }

    internal IEnumerable<Value> Keys(Budget budget) => Each(budget, pair => pair.Key);

    internal IEnumerable<Value> Values(Budget budget) => Each(budget, pair => pair.Value);

    internal IEnumerable<Value> Entries(Budget budget) => Each(budget, pair => new TupleValue([pair.Key, pair.Value]));

    internal override void WriteRepr(PythonWriter writer) => writer.Dictionary(this);

    private static bool IsHashable(Value key) => key is not (ListValue or DictionaryValue);

    private IEnumerable<Value> Each(Budget budget, Func<KeyValuePair<Value, Value>, Value> choose)
    {
        int count = _items.Count;
        for (int i = 0; i < count; i++)
        {
            budget.Step();
            yield return choose(_items.GetAt(i));
            if (_items.Count != count)
                throw new Fault("a dictionary changes its size while it is looped over");
        }
    }

    /// <summary>Keys are equal as Python says it: 1, 1.0 and true are one key.</summary>
    private sealed class KeyComparer(Budget budget) : IEqualityComparer<Value>
    {
        public bool Equals(Value? x, Value? y) => Comparison.AreEqual(x!, y!, budget);

        public int GetHashCode(Value value) => Comparison.Hash(value, budget);
    }
}

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> give: it follows its dictionary.</summary>
internal sealed class DictionaryView(DictionaryValue dictionary, string typeName, Func<Budget, IEnumerable<Value>> items) : Value
{
    internal override string TypeName => typeName;

    internal override bool IsTrue => dictionary.Count > 0;

    internal override long? Length => dictionary.Count;

    /// <summary>The dictionary, where this is a view of its keys.</summary>
    internal DictionaryValue? KeysOf => typeName == "dict_keys" ? dictionary : null;

    internal override IEnumerable<Value> Iterate(Budget budget) => items(budget);

    internal override void WriteRepr(PythonWriter writer) =>
        writer.Sequence(this, typeName + "([", items(writer.Budget), "])", "...");
}

/// <summary>What <c>namespace(…)</c> makes: attributes that can be set from within loops and blocks.</summary>
internal sealed class NamespaceValue(DictionaryValue attributes) : Value
{
    internal override string TypeName => "Namespace";

    internal override Value? Attribute(string name) => attributes.Find(new TextValue(name));

    internal void Set(string name, Value value) => attributes.Set(new TextValue(name), value);

    internal override void WriteRepr(PythonWriter writer)
    {
        writer.Raw("<Namespace ");
        writer.Repr(attributes);
        writer.Raw(">");
    }
}
