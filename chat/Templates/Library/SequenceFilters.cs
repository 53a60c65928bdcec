using System.Numerics;

namespace Pure.Chat.Templates;

/// <summary>Filters over the items of a value: their number, order, ends, sums and groups.</summary>
internal static class SequenceFilters
{
    internal static readonly Builtin[] All =
    [
        new("length", "value", (a, e) => Length(a[0], e)),
        new("count", "value", (a, e) => Length(a[0], e)),
        new("list", "value", (a, e) => new ListValue(e.ToList(a[0]))),
        new("first", "value", (a, e) => e.Iterate(a[0]).FirstOrDefault() ?? new UndefinedValue("no first item, sequence was empty")),
        new("last", "value", Last),
        new("reverse", "value", Reverse),
        new("join", "value, d?, attribute?", Join),
        new("items", "value", (a, e) => new GeneratorValue(Items(a[0], e))),
        new("default", "value, default_value?, boolean?", (a, _) => Default(a)),
        new("d", "value, default_value?, boolean?", (a, _) => Default(a)),
        new("attr", "value, name", (a, e) => Attribute(a, e)),
        new("sum", "value, attribute?, start?", Sum),
        new("min", "value, case_sensitive?, attribute?", (a, e) => Extreme(a, e, "<")),
        new("max", "value, case_sensitive?, attribute?", (a, e) => Extreme(a, e, ">")),
        new("sort", "value, reverse?, case_sensitive?, attribute?", Sort),
        new("dictsort", "value, case_sensitive?, by?, reverse?", SortDictionary),
        new("unique", "value, case_sensitive?, attribute?", (a, e) => new GeneratorValue(Unique(a, e))),
        new("groupby", "value, attribute, default?, case_sensitive?", GroupBy),
        new("batch", "value, linecount, fill_with?", (a, e) => new GeneratorValue(Batch(a, e))),
        new("slice", "value, slices, fill_with?", (a, e) => new GeneratorValue(Slices(a, e))),
    ];

    private static IntegerValue Length(Value value, Evaluator evaluator)
    {
        if (value is TextValue text)
            evaluator.Budget.Characters(text.Text.Length);
        return IntegerValue.Of(value.Length ?? throw new Fault($"object of type '{value.TypeName}' has no len()"));
    }

    private static Value Last(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (arguments[0] is GeneratorValue)
            throw new Fault("'generator' object is not reversible");
        return evaluator.ToList(arguments[0]) is [.., var last] ? last : new UndefinedValue("no last item, sequence was empty");
    }

    private static Value Reverse(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (arguments[0] is TextValue text)
        {
            evaluator.Budget.NewText(text.Text.Length);
            return text.With(CodePoints.Part(text.Text, CodePoints.Count(text.Text) - 1, CodePoints.Count(text.Text), -1));
        }

        List<Value> items = evaluator.ToList(arguments[0]);
        items.Reverse();
        return new GeneratorValue(items);
    }

    private static TextValue Join(BuiltinArguments arguments, Evaluator evaluator)
    {
        string separator = arguments.Find(1) is { } given ? evaluator.Str(given) : "";
        Func<Value, Value> choose = Choose(arguments.Find(2), evaluator);
        var output = new BoundedText(evaluator.Budget);
        bool isFirst = true;
        foreach (Value item in evaluator.Iterate(arguments[0]))
        {
            if (!isFirst)
                output.Append(separator);
            isFirst = false;
            output.Append(evaluator.Str(choose(item)));
        }

        return new TextValue(output.ToString());
    }

    private static IEnumerable<Value> Items(Value value, Evaluator evaluator) => value switch
    {
        UndefinedValue => [],
        DictionaryValue dictionary => dictionary.Entries(evaluator.Budget),
        _ => NotMapping(),
    };

    /// <summary>Fails when it is read, as the filter does.</summary>
    private static IEnumerable<Value> NotMapping()
    {
        foreach (Value value in Array.Empty<Value>())
            yield return value;
        throw new Fault("can only get item pairs from a mapping");
    }

    private static Value Default(BuiltinArguments arguments) =>
        arguments[0] is UndefinedValue || (arguments.IsTrue(2) && !arguments[0].IsTrue)
            ? arguments.Find(1) ?? TextValue.Empty
            : arguments[0];

    /// <summary>An attribute and never a key.</summary>
    private static Value Attribute(BuiltinArguments arguments, Evaluator evaluator)
    {
        string name = evaluator.Str(arguments[1]);
        return arguments[0] is UndefinedValue undefined
            ? throw new Fault(undefined.Problem)
            : arguments[0].Attribute(name) ?? new UndefinedValue($"'{arguments[0].TypeName} object' has no attribute '{name}'");
    }

    private static Value Sum(BuiltinArguments arguments, Evaluator evaluator)
    {
        Func<Value, Value> choose = Choose(arguments.Find(1), evaluator);
        Value sum = arguments.Find(2) ?? IntegerValue.Of(0);
        if (sum is TextValue)
            throw new Fault("sum() can't sum strings");
        foreach (Value item in evaluator.Iterate(arguments[0]))
            sum = Arithmetic.Binary("+", sum, choose(item), evaluator);
        return sum;
    }

    private static Value Extreme(BuiltinArguments arguments, Evaluator evaluator, string symbol)
    {
        Func<Value, Value> key = Key(arguments.Find(2), arguments.IsTrue(1), evaluator);
        Value? best = null;
        Value? bestKey = null;
        foreach (Value item in evaluator.Iterate(arguments[0]))
        {
            Value itemKey = key(item);
            if (bestKey is not null && !Comparison.Holds(symbol, itemKey, bestKey, evaluator.Budget))
                continue;
            best = item;
            bestKey = itemKey;
        }

        return best ?? new UndefinedValue("no aggregated item, sequence was empty");
    }

    private static ListValue Sort(BuiltinArguments arguments, Evaluator evaluator)
    {
        Func<Value, Value> key = SortKey(arguments.Find(3), arguments.IsTrue(2), evaluator);
        return new ListValue(Sorted(evaluator.ToList(arguments[0]), key, arguments.IsTrue(1), evaluator));
    }

    private static ListValue SortDictionary(BuiltinArguments arguments, Evaluator evaluator)
    {
        int at = arguments.Text(2, "key") switch
        {
            "key" => 0,
            "value" => 1,
            _ => throw new Fault("you can only sort by either \"key\" or \"value\""),
        };
        if (arguments[0] is UndefinedValue undefined)
            throw new Fault(undefined.Problem);
        if (arguments[0] is not DictionaryValue dictionary)
            throw arguments.Wrong(0, "a mapping");
        bool isCaseSensitive = arguments.IsTrue(1);
        return new ListValue(Sorted(
            [.. dictionary.Entries(evaluator.Budget)], pair => Fold(((TupleValue)pair).Items[at], isCaseSensitive, evaluator),
            arguments.IsTrue(3), evaluator));
    }

    private static IEnumerable<Value> Unique(BuiltinArguments arguments, Evaluator evaluator)
    {
        Func<Value, Value> key = Key(arguments.Find(2), arguments.IsTrue(1), evaluator);
        var seen = new DictionaryValue(evaluator.Budget);
        foreach (Value item in evaluator.Iterate(arguments[0]))
        {
            Value itemKey = key(item);
            if (seen.Find(itemKey) is not null)
                continue;
            seen.Set(itemKey, NoneValue.Instance);
            yield return item;
        }
    }

    private static ListValue GroupBy(BuiltinArguments arguments, Evaluator evaluator)
    {
        bool isCaseSensitive = arguments.IsTrue(3);
        Func<Value, Value> choose = Choose(arguments[1], evaluator, arguments.Find(2));
        Func<Value, Value> key = item => Fold(choose(item), isCaseSensitive, evaluator);
        var groups = new List<(Value Key, Value Shown, List<Value> Items)>();
        foreach (Value item in Sorted(evaluator.ToList(arguments[0]), key, isReverse: false, evaluator))
        {
            Value itemKey = key(item);
            if (groups.Count == 0 || !Comparison.AreEqual(groups[^1].Key, itemKey, evaluator.Budget))
                groups.Add((itemKey, choose(item), []));
            groups[^1].Items.Add(item);
        }

        string[] names = ["grouper", "list"];
        return new ListValue([.. groups.Select(group => new TupleValue([group.Shown, new ListValue(group.Items)], names))]);
    }

    private static IEnumerable<Value> Batch(BuiltinArguments arguments, Evaluator evaluator)
    {
        int size = arguments.Count(1, 0);
        var items = new List<Value>();
        foreach (Value item in evaluator.Iterate(arguments[0]))
        {
            if (items.Count == size)
            {
                yield return new ListValue(items);
                items = [];
            }

            items.Add(item);
        }

        if (items.Count == 0)
            yield break;
        if (arguments.Find(2) is { } fill and not NoneValue && items.Count < size)
        {
            evaluator.Budget.Step(size);
            items.AddRange(Enumerable.Repeat(fill, size - items.Count));
        }

        yield return new ListValue(items);
    }

    private static IEnumerable<Value> Slices(BuiltinArguments arguments, Evaluator evaluator)
    {
        List<Value> items = evaluator.ToList(arguments[0]);
        int slices = arguments.Count(1, 0);
        if (slices <= 0)
            throw new Fault("'slice' needs at least one slice");
        int each = items.Count / slices;
        int longer = items.Count % slices;
        int at = 0;
        for (int i = 0; i < slices; i++)
        {
            evaluator.Budget.Step();
            int count = each + (i < longer ? 1 : 0);
            List<Value> part = items[at..(at + count)];
            at += count;
            if (arguments.Find(2) is { } fill and not NoneValue && i >= longer)
                part.Add(fill);
            yield return new ListValue(part);
        }
    }

    /// <summary>What an attribute such as <c>a.b.0</c>, or a number, takes out of an item; null takes the item.</summary>
    internal static Func<Value, Value> Choose(Value? attribute, Evaluator evaluator, Value? fallback = null)
    {
        Value[] path = attribute switch
        {
            null or NoneValue => [],
            TextValue text => [.. text.Text.Split('.').Select(PathPart)],
            _ => [attribute],
        };
        return item =>
        {
            foreach (Value part in path)
            {
                item = evaluator.Item(item, part);
                if (item is UndefinedValue && fallback is not null and not NoneValue)
                    item = fallback;
            }

            return item;
        };
    }

    private static Value PathPart(string part) =>
        part.Length > 0 && part.All(char.IsAsciiDigit) ? IntegerValue.Of(PythonNumbers.ParseInteger(part, 10)!.Value) : new TextValue(part);

    /// <summary>The key to compare by.</summary>
    private static Func<Value, Value> Key(Value? attribute, bool isCaseSensitive, Evaluator evaluator)
    {
        Func<Value, Value> choose = Choose(attribute, evaluator);
        return item => Fold(choose(item), isCaseSensitive, evaluator);
    }

    /// <summary>The key to sort by; several attributes with commas are one after the other.</summary>
    private static Func<Value, Value> SortKey(Value? attribute, bool isCaseSensitive, Evaluator evaluator)
    {
        // A list even for one: lists compare their items for equality first, which any two values can.
        Func<Value, Value>[] keys = attribute is TextValue text
            ? [.. text.Text.Split(',').Select(part => Key(new TextValue(part), isCaseSensitive, evaluator))]
            : [Key(attribute, isCaseSensitive, evaluator)];
        return item => new ListValue([.. keys.Select(key => key(item))]);
    }

    private static Value Fold(Value value, bool isCaseSensitive, Evaluator evaluator)
    {
        if (isCaseSensitive || value is not TextValue text)
            return value;
        evaluator.Budget.NewText(text.Text.Length);
        return new TextValue(PythonText.Lower(text.Text));
    }

    private static List<Value> Sorted(List<Value> items, Func<Value, Value> key, bool isReverse, Evaluator evaluator)
    {
        (Value Key, Value Item)[] keyed = [.. items.Select(item => (key(item), item))];
        // Reversed, equals keep their order.
        if (isReverse)
            Comparison.Sort(keyed, (a, b) => Comparison.Order(b.Key, a.Key, "<", evaluator.Budget) is < 0);
        else
            Comparison.Sort(keyed, (a, b) => Comparison.Order(a.Key, b.Key, "<", evaluator.Budget) is < 0);
        return [.. keyed.Select(pair => pair.Item)];
    }
}
