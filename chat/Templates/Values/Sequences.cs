using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>A list, which can change.</summary>
internal sealed class ListValue(List<Value> items) : Value
{
    internal List<Value> Items => items;

    internal override string TypeName => "list";

    internal override bool IsTrue => items.Count > 0;

    internal override long? Length => items.Count;

    /// <summary>Sees what is appended while it runs, as Python's iterators do.</summary>
    internal override IEnumerable<Value> Iterate(Budget budget)
    {
        for (int i = 0; i < items.Count; i++)
        {
            budget.Step();
            yield return items[i];
        }
    }

    internal override Value? Attribute(string name) => ListMethods.Table.Bind(name, this);

    internal override Value? Item(Value key, Budget budget) =>
        Numbers.TryIndex(key, out long index) && Numbers.InRange(ref index, items.Count) ? items[(int)index] : null;

    internal override void WriteRepr(PythonWriter writer) => writer.Sequence(this, "[", items, "]", "[...]");
}

/// <summary>A tuple, which cannot change.</summary>
internal sealed class TupleValue(Value[] items, string[]? names = null) : Value
{
    internal Value[] Items => items;

    /// <summary>The hash of the items, once it is known: tuples of tuples are hashed in linear time.</summary>
    internal int? Hash { get; set; }

    internal override string TypeName => "tuple";

    internal override bool IsTrue => items.Length > 0;

    internal override long? Length => items.Length;

    internal override IEnumerable<Value> Iterate(Budget budget)
    {
        foreach (Value item in items)
        {
            budget.Step();
            yield return item;
        }
    }

    /// <summary>Of a named tuple (<c>groupby</c> gives <c>grouper</c> and <c>list</c>), an item by its name.</summary>
    internal override Value? Attribute(string name) =>
        names is not null && Array.IndexOf(names, name) is >= 0 and int at ? items[at] : TupleMethods.Table.Bind(name, this);

    internal override Value? Item(Value key, Budget budget) =>
        Numbers.TryIndex(key, out long index) && Numbers.InRange(ref index, items.Length) ? items[index] : null;

    internal override void WriteRepr(PythonWriter writer) =>
        writer.Sequence(this, "(", items, items.Length == 1 ? ",)" : ")", "(...)");
}

/// <summary>What <c>range(start, stop, step)</c> is: its numbers are made when they are asked for.</summary>
internal sealed class RangeValue(BigInteger start, BigInteger stop, BigInteger step) : Value
{
    /// <summary>How many numbers.</summary>
    internal BigInteger Count { get; } = BigInteger.Max(
        BigInteger.Zero, step.Sign > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step);

    internal override string TypeName => "range";

    internal override bool IsTrue => !Count.IsZero;

    internal override long? Length => Count <= long.MaxValue ? (long)Count : null;

    internal override IEnumerable<Value> Iterate(Budget budget)
    {
        BigInteger value = start;
        for (BigInteger left = Count; !left.IsZero; left--)
        {
            budget.Step();
            yield return IntegerValue.Of(value);
            value += step;
        }
    }

    internal override Value? Item(Value key, Budget budget)
    {
        if (!Numbers.TryInteger(key, out BigInteger index))
            return null;
        if (index.Sign < 0)
            index += Count;
        return index.Sign >= 0 && index < Count ? IntegerValue.Of(start + (index * step)) : null;
    }

    /// <summary>Whether the range has this number.</summary>
    internal bool Contains(BigInteger value)
    {
        BigInteger offset = value - start;
        return (offset % step).IsZero && (offset / step).Sign >= 0 && offset / step < Count && (offset.IsZero || offset.Sign == step.Sign);
    }

    /// <summary>The part that a slice takes.</summary>
    internal RangeValue Part(long from, long count, long stride) =>
        new(start + (from * step), start + ((from + (count * stride)) * step), step * stride);

    internal override void WriteRepr(PythonWriter writer)
    {
        writer.Raw($"range({PythonNumbers.Text(start)}, {PythonNumbers.Text(stop)}");
        writer.Raw(step.IsOne ? ")" : $", {PythonNumbers.Text(step)})");
    }
}

/// <summary>
/// Items that are made when they are asked for, and only once: what <c>map</c>, <c>select</c>, <c>reverse</c> and their like give. It
/// counts as true even where it is empty.
/// </summary>
internal sealed class GeneratorValue(IEnumerable<Value> items) : Value
{
    private readonly IEnumerator<Value> _items = items.GetEnumerator();
    private bool _running;

    internal override string TypeName => "generator";

    internal override IEnumerable<Value> Iterate(Budget budget)
    {
        while (MoveNext(budget))
            yield return _items.Current;
    }

    internal override void WriteRepr(PythonWriter writer) => writer.Raw("<generator object>");

    private bool MoveNext(Budget budget)
    {
        if (_running)
            throw new Fault("a generator asks itself for its items");
        _running = true;
        budget.Step();
        budget.Enter();
        bool moved = _items.MoveNext();
        budget.Leave();
        _running = false;
        return moved;
    }
}
