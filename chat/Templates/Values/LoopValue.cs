namespace Pure.Chat.Templates;

/// <summary>The variable <c>loop</c>: where a loop is. It looks one item ahead only where it is asked to.</summary>
internal sealed class LoopValue : CallableValue
{
    private static readonly FunctionTable Table = new(
        new Builtin("cycle", "self, *items", (arguments, _) => ((LoopValue)arguments[0]).Cycle(arguments.Rest)),
        new Builtin("changed", "self, *values", (arguments, evaluator) => ((LoopValue)arguments[0]).Changed(arguments.Rest, evaluator)));

    private readonly Queue<Value> _ahead = new();
    private readonly IEnumerator<Value> _items;
    private readonly Func<Value, Value>? _recurse;
    private readonly int _depth;
    private long? _length;
    private long _index = -1;
    private Value? _previous;
    private Value? _current;
    private Value[]? _lastChecked;

    /// <param name="items">What is looped over.</param>
    /// <param name="length">How many items, where that is known before.</param>
    /// <param name="depth">How many loops of this recursion are around it.</param>
    /// <param name="recurse">What <c>loop(items)</c> does in a recursive loop.</param>
    internal LoopValue(IEnumerable<Value> items, long? length, int depth, Func<Value, Value>? recurse)
    {
        _items = items.GetEnumerator();
        _length = length;
        _depth = depth;
        _recurse = recurse;
    }

    internal override string TypeName => "LoopContext";

    internal override long? Length => Count();

    internal Value Current => _current!;

    internal bool MoveNext()
    {
        if (Peek() is null)
            return false;
        _previous = _current;
        _current = _ahead.Dequeue();
        _index++;
        return true;
    }

    internal override Value? Attribute(string name) => name switch
    {
        "index" => IntegerValue.Of(_index + 1),
        "index0" => IntegerValue.Of(_index),
        "revindex" => IntegerValue.Of(Count() - _index),
        "revindex0" => IntegerValue.Of(Count() - _index - 1),
        "first" => BooleanValue.Of(_index == 0),
        "last" => BooleanValue.Of(Peek() is null),
        "length" => IntegerValue.Of(Count()),
        "depth" => IntegerValue.Of(_depth + 1),
        "depth0" => IntegerValue.Of(_depth),
        "previtem" => _previous ?? new UndefinedValue("there is no previous item"),
        "nextitem" => Peek() ?? new UndefinedValue("there is no next item"),
        _ => Table.Bind(name, this),
    };

    internal override Value Call(CallArguments arguments, Evaluator evaluator) =>
        _recurse is null ? throw new Fault("'loop' is called in a loop that is not 'recursive'")
        : arguments is { Positional: [var items], Named: [] } ? _recurse(items)
        : throw new Fault("'loop' takes one argument, the items");

    private Value? Peek()
    {
        if (_ahead.Count == 0 && _items.MoveNext())
            _ahead.Enqueue(_items.Current);
        return _ahead.TryPeek(out Value? next) ? next : null;
    }

    private long Count()
    {
        if (_length is { } known)
            return known;
        while (_items.MoveNext())
            _ahead.Enqueue(_items.Current);
        _length = _index + 1 + _ahead.Count;
        return _length.Value;
    }

    private Value Cycle(Value[] items) =>
        items.Length == 0 ? throw new Fault("loop.cycle needs items") : items[(int)(_index % items.Length)];

    private BooleanValue Changed(Value[] values, Evaluator evaluator)
    {
        bool same = _lastChecked is { } last && last.Length == values.Length
            && last.Zip(values).All(pair => Comparison.AreEqual(pair.First, pair.Second, evaluator.Budget));
        _lastChecked = values;
        return BooleanValue.Of(!same);
    }
}
