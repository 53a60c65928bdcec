namespace Pure.Chat.Templates;

/// <summary>Filters that apply a filter or a test to each item: <c>map</c>, <c>select</c>, <c>reject</c> and those by attribute.</summary>
internal static class SelectionFilters
{
    internal static readonly Builtin[] All =
    [
        new("map", "value, *rest, **named", (a, e) => new GeneratorValue(Map(a, e))),
        new("select", "value, *rest, **named", (a, e) => new GeneratorValue(Select(a, e, byAttribute: false, keeps: true))),
        new("reject", "value, *rest, **named", (a, e) => new GeneratorValue(Select(a, e, byAttribute: false, keeps: false))),
        new("selectattr", "value, *rest, **named", (a, e) => new GeneratorValue(Select(a, e, byAttribute: true, keeps: true))),
        new("rejectattr", "value, *rest, **named", (a, e) => new GeneratorValue(Select(a, e, byAttribute: true, keeps: false))),
    ];

    private static IEnumerable<Value> Map(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (!arguments[0].IsTrue)
            yield break;
        Func<Value, Value> map = Mapping(arguments, evaluator);
        foreach (Value item in evaluator.Iterate(arguments[0]))
            yield return map(item);
    }

    private static Func<Value, Value> Mapping(BuiltinArguments arguments, Evaluator evaluator)
    {
        if (arguments.Rest.Length == 0 && Array.FindIndex(arguments.Named, named => named.Name == "attribute") is >= 0 and int at)
        {
            (string Name, Value Value)[] others = [.. arguments.Named.Where((_, i) => i != at)];
            return others switch
            {
                [] => SequenceFilters.Choose(arguments.Named[at].Value, evaluator),
                [("default", var fallback)] => SequenceFilters.Choose(arguments.Named[at].Value, evaluator, fallback),
                _ => throw new Fault($"'map' takes no argument named '{others[0].Name}' here"),
            };
        }

        if (arguments.Rest is not [TextValue name, ..])
            throw new Fault("'map' needs the name of a filter, or an attribute");
        var rest = new CallArguments(arguments.Rest[1..], arguments.Named);
        return item => evaluator.ApplyFilter(name.Text, rest.Prepend(item));
    }

    private static IEnumerable<Value> Select(BuiltinArguments arguments, Evaluator evaluator, bool byAttribute, bool keeps)
    {
        if (!arguments[0].IsTrue)
            yield break;
        Func<Value, bool> holds = Condition(arguments, evaluator, byAttribute);
        foreach (Value item in evaluator.Iterate(arguments[0]))
        {
            if (holds(item) == keeps)
                yield return item;
        }
    }

    private static Func<Value, bool> Condition(BuiltinArguments arguments, Evaluator evaluator, bool byAttribute)
    {
        Func<Value, Value> choose = item => item;
        Value[] rest = arguments.Rest;
        if (byAttribute)
        {
            if (rest.Length == 0)
                throw new Fault("'selectattr' and 'rejectattr' need the name of an attribute");
            choose = SequenceFilters.Choose(rest[0], evaluator);
            rest = rest[1..];
        }

        if (rest.Length == 0)
            return item => choose(item).IsTrue;
        if (rest[0] is not TextValue name)
            throw new Fault("'select' and its like need the name of a test as a string");
        var test = new CallArguments(rest[1..], arguments.Named);
        return item => evaluator.ApplyTest(name.Text, test.Prepend(choose(item)));
    }
}
