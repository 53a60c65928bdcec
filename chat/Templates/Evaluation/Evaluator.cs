namespace Pure.Chat.Templates;

/// <summary>Renders one template once: this part holds what statements, expressions and functions share.</summary>
internal sealed partial class Evaluator(Budget budget, DateTime now)
{
    internal Budget Budget => budget;

    /// <summary>What <c>strftime_now</c> says.</summary>
    internal DateTime Now => now;

    /// <summary>The line of the template that is at work.</summary>
    internal int Line { get; private set; } = 1;

    /// <summary>Renders a template.</summary>
    internal string Run(Statement[] body, IEnumerable<KeyValuePair<string, Value>> variables)
    {
        var scope = new Scope(Globals.Scope);
        foreach (KeyValuePair<string, Value> variable in variables)
            scope.Set(variable.Key, variable.Value);
        var output = new BoundedText(budget);
        Execute(body, scope, output);
        return output.ToString();
    }

    /// <summary>What Python's <c>str</c> says.</summary>
    internal string Str(Value value)
    {
        if (value is TextValue text)
            return text.Text;
        var output = new BoundedText(budget);
        value.WriteText(new PythonWriter(output, budget));
        return output.ToString();
    }

    /// <summary>The same, counted because it will be looked through.</summary>
    internal string CountedStr(Value value)
    {
        string text = Str(value);
        budget.Characters(text.Length);
        return text;
    }

    /// <summary>What Python's <c>repr</c> says.</summary>
    internal string Repr(Value value)
    {
        var output = new BoundedText(budget);
        value.WriteRepr(new PythonWriter(output, budget));
        return output.ToString();
    }

    /// <summary>The value as a text: one that is a text already stays as safe as it is.</summary>
    internal TextValue SoftText(Value value) => value as TextValue ?? new TextValue(Str(value));

    internal IEnumerable<Value> Iterate(Value value) =>
        value.Iterate(budget) ?? throw new Fault($"'{value.TypeName}' object is not iterable");

    /// <summary>All items of a value.</summary>
    internal List<Value> ToList(Value value) => [.. Iterate(value)];

    internal Value Call(Value callee, CallArguments arguments) => callee switch
    {
        CallableValue callable => callable.Call(arguments, this),
        UndefinedValue undefined => throw new Fault(undefined.Problem),
        _ => throw new Fault($"'{callee.TypeName}' object is not callable"),
    };

    internal Value ApplyFilter(string name, CallArguments arguments) =>
        Filters.Table.TryFind(name, out Builtin? filter)
            ? filter.Call(arguments, this)
            : throw new Fault($"there is no filter '{name}'");

    internal bool ApplyTest(string name, CallArguments arguments) =>
        Tests.Table.TryFind(name, out Builtin? test)
            ? test.Call(arguments, this).IsTrue
            : throw new Fault($"there is no test '{name}'");

    /// <summary><c>value.name</c>: an attribute or method, else a key.</summary>
    internal Value Attribute(Value target, string name) =>
        target is UndefinedValue undefined
            ? throw new Fault(undefined.Problem)
            : target.Attribute(name) ?? target.Item(new TextValue(name), budget) ?? Missing(target, name);

    /// <summary><c>value[key]</c>: a key, else an attribute or method.</summary>
    internal Value Item(Value target, Value key)
    {
        if (target is UndefinedValue undefined)
            throw new Fault(undefined.Problem);
        if (target.Item(key, budget) is { } item)
            return item;
        if (key is TextValue { Text: var name })
            return target.Attribute(name) ?? Missing(target, name);
        return new UndefinedValue($"{Describe(target)} has no element {(key is NoneValue or BooleanValue or IntegerValue ? Str(key) : "of that key")}");
    }

    private static UndefinedValue Missing(Value target, string name) =>
        new($"{Describe(target)} has no attribute '{(name.Length > 100 ? name[..100] + "…" : name)}'");

    private static string Describe(Value target) => target is NoneValue ? "'None'" : $"'{target.TypeName} object'";
}
