namespace Pure.Chat.Templates;

/// <summary>What a call passes: values by position, then values by name.</summary>
internal sealed record CallArguments(Value[] Positional, (string Name, Value Value)[] Named)
{
    internal static readonly CallArguments None = new([], []);

    internal static CallArguments Of(params Value[] positional) => new(positional, []);

    /// <summary>The same with a value before them: what a filter filters, what a method belongs to.</summary>
    internal CallArguments Prepend(Value value) => this with { Positional = [value, .. Positional] };
}

/// <summary>What can be called.</summary>
internal abstract class CallableValue : Value
{
    internal abstract Value Call(CallArguments arguments, Evaluator evaluator);

    internal override void WriteRepr(PythonWriter writer) => writer.Raw($"<{TypeName}>");
}

/// <summary>A function of the language, or a method with the value it belongs to.</summary>
internal sealed class FunctionValue(Builtin builtin, Value? self = null) : CallableValue
{
    internal override string TypeName => "function";

    internal override Value Call(CallArguments arguments, Evaluator evaluator)
    {
        if (self is TextValue { Text: var text })
            evaluator.Budget.Characters(text.Length);
        return builtin.Call(self is null ? arguments : arguments.Prepend(self), evaluator);
    }
}

/// <summary>A macro with the scope in which it was defined: it sees those names as they are when it is called.</summary>
internal sealed class MacroValue(MacroDefinition definition, Scope scope) : CallableValue
{
    internal override string TypeName => "Macro";

    internal override Value? Attribute(string name) => name switch
    {
        "name" => new TextValue(definition.Name),
        "arguments" => new TupleValue([.. definition.Parameters.Select(parameter => new TextValue(parameter.Name))]),
        "catch_kwargs" => BooleanValue.Of(definition.UsesKwargs),
        "catch_varargs" => BooleanValue.Of(definition.UsesVarargs),
        "caller" => BooleanValue.Of(definition.UsesCaller),
        _ => null,
    };

    internal override Value Call(CallArguments arguments, Evaluator evaluator) => evaluator.CallMacro(definition, scope, arguments);
}

/// <summary>What <c>cycler(…)</c> makes: its items in turn.</summary>
internal sealed class CyclerValue(Value[] items) : Value
{
    private static readonly FunctionTable Table = new(
        new Builtin("next", "self", (arguments, _) => ((CyclerValue)arguments[0]).Next()),
        new Builtin("reset", "self", (arguments, _) => ((CyclerValue)arguments[0]).Reset()));

    private int _at;

    internal override string TypeName => "Cycler";

    internal override Value? Attribute(string name) => name == "current" ? items[_at] : Table.Bind(name, this);

    internal override void WriteRepr(PythonWriter writer) => writer.Raw("<Cycler>");

    private Value Next()
    {
        Value item = items[_at];
        _at = (_at + 1) % items.Length;
        return item;
    }

    private NoneValue Reset()
    {
        _at = 0;
        return NoneValue.Instance;
    }
}

/// <summary>What <c>joiner(separator)</c> makes: nothing at the first call, then the separator.</summary>
internal sealed class JoinerValue(Value separator) : CallableValue
{
    private bool _used;

    internal override string TypeName => "Joiner";

    internal override Value Call(CallArguments arguments, Evaluator evaluator)
    {
        Value result = _used ? separator : TextValue.Empty;
        _used = true;
        return result;
    }
}
