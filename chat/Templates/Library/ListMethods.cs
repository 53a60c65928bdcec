namespace Pure.Chat.Templates;

/// <summary>The methods of lists.</summary>
internal static class ListMethods
{
    internal static readonly FunctionTable Table = new(
        new Builtin("append", "self, item", (a, _) => Nothing(() => Items(a).Add(a[1]))),
        new Builtin("extend", "self, items", (a, e) => Nothing(() => Items(a).AddRange(e.ToList(a[1])))),
        new Builtin("insert", "self, index, item", (a, e) => Insert(a, e)),
        new Builtin("pop", "self, index?", (a, e) => Pop(a, e)),
        new Builtin("remove", "self, item", (a, e) => Nothing(() =>
        {
            e.Budget.Step(Items(a).Count);
            Items(a).RemoveAt(IndexOf(Items(a), a[1], e));
        })),
        new Builtin("clear", "self", (a, _) => Nothing(() => Items(a).Clear())),
        new Builtin("copy", "self", (a, e) => new ListValue(e.ToList(a[0]))),
        new Builtin("reverse", "self", (a, e) => Nothing(() =>
        {
            e.Budget.Step(Items(a).Count);
            Items(a).Reverse();
        })),
        new Builtin("sort", "self, reverse?", (a, e) => Nothing(() => Sort(a, e))),
        new Builtin("count", "self, item", (a, e) => Count(Items(a), a[1], e)),
        new Builtin("index", "self, item", (a, e) => IntegerValue.Of(IndexOf(Items(a), a[1], e))));

    /// <summary>How often an item is there.</summary>
    internal static IntegerValue Count(IEnumerable<Value> items, Value item, Evaluator evaluator) =>
        IntegerValue.Of(items.LongCount(other => Comparison.AreEqual(other, item, evaluator.Budget)));

    /// <summary>Where an item is first.</summary>
    /// <exception cref="Fault">It is not there.</exception>
    internal static int IndexOf(IReadOnlyList<Value> items, Value item, Evaluator evaluator)
    {
        for (int i = 0; i < items.Count; i++)
        {
            if (Comparison.AreEqual(items[i], item, evaluator.Budget))
                return i;
        }

        throw new Fault("the item is not in the list");
    }

    private static List<Value> Items(BuiltinArguments arguments) => ((ListValue)arguments[0]).Items;

    private static NoneValue Nothing(Action action)
    {
        action();
        return NoneValue.Instance;
    }

    private static NoneValue Insert(BuiltinArguments arguments, Evaluator evaluator)
    {
        List<Value> items = Items(arguments);
        evaluator.Budget.Step(items.Count);
        int at = arguments.Count(1, 0);
        items.Insert(Math.Clamp(at < 0 ? at + items.Count : at, 0, items.Count), arguments[2]);
        return NoneValue.Instance;
    }

    private static Value Pop(BuiltinArguments arguments, Evaluator evaluator)
    {
        List<Value> items = Items(arguments);
        long at = arguments.Has(1) ? arguments.Count(1, -1) : -1;
        if (!Numbers.InRange(ref at, items.Count))
            throw new Fault(items.Count == 0 ? "pop from empty list" : "pop index out of range");
        evaluator.Budget.Step(items.Count - at);
        Value item = items[(int)at];
        items.RemoveAt((int)at);
        return item;
    }

    private static void Sort(BuiltinArguments arguments, Evaluator evaluator)
    {
        List<Value> items = Items(arguments);
        Value[] sorted = [.. items];
        bool isReverse = arguments.IsTrue(1);
        Comparison.Sort(sorted, (a, b) => Comparison.Order(isReverse ? b : a, isReverse ? a : b, "<", evaluator.Budget) is < 0);
        items.Clear();
        items.AddRange(sorted);
    }
}

/// <summary>The methods of tuples.</summary>
internal static class TupleMethods
{
    internal static readonly FunctionTable Table = new(
        new Builtin("count", "self, item", (a, e) => ListMethods.Count(((TupleValue)a[0]).Items, a[1], e)),
        new Builtin("index", "self, item", (a, e) => IntegerValue.Of(ListMethods.IndexOf(((TupleValue)a[0]).Items, a[1], e))));
}
