namespace Pure.Chat.Templates;

/// <summary>Statements: what they write goes to <c>output</c>.</summary>
internal sealed partial class Evaluator
{
    /// <summary>How a body ended.</summary>
    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    private Flow Execute(Statement[] body, Scope scope, BoundedText output)
    {
        budget.Enter();
        foreach (Statement statement in body)
        {
            Line = statement.Line;
            budget.Step();
            Flow flow = Execute(statement, scope, output);
            if (flow != Flow.Next)
            {
                budget.Leave();
                return flow;
            }
        }

        budget.Leave();
        return Flow.Next;
    }

    private Flow Execute(Statement statement, Scope scope, BoundedText output)
    {
        switch (statement)
        {
            case Data data:
                output.Append(data.Text);
                return Flow.Next;
            case Print print:
                output.Append(Str(Evaluate(print.Expression, scope)));
                return Flow.Next;
            case If @if:
                return ExecuteIf(@if, scope, output);
            case For @for:
                return ExecuteFor(@for, scope, output);
            case Set set:
                Assign(set.Target, Evaluate(set.Expression, scope), scope);
                return Flow.Next;
            case SetBlock set:
                Assign(set.Target, Filtered(Capture(set.Body, new Scope(scope)), set.Filters, scope), scope);
                return Flow.Next;
            case Macro macro:
                scope.Set(macro.Definition.Name, new MacroValue(macro.Definition, scope));
                return Flow.Next;
            case CallBlock call:
                ExecuteCall(call, scope, output);
                return Flow.Next;
            case FilterBlock filter:
                output.Append(Str(Filtered(Capture(filter.Body, new Scope(scope)), filter.Filters, scope)));
                return Flow.Next;
            case With with:
                return ExecuteWith(with, scope, output);
            case Do action:
                Evaluate(action.Expression, scope);
                return Flow.Next;
            case Break:
                return Flow.Break;
            case Continue:
                return Flow.Continue;
            default:
                throw new InvalidOperationException($"no case for {statement.GetType().Name}");
        }
    }

    private Flow ExecuteIf(If statement, Scope scope, BoundedText output)
    {
        foreach ((Expression test, Statement[] body) in statement.Branches)
        {
            if (Evaluate(test, scope).IsTrue)
                return Execute(body, scope, output);
        }

        return Execute(statement.Else, scope, output);
    }

    private Flow ExecuteFor(For statement, Scope scope, BoundedText output) =>
        RunLoop(statement, Evaluate(statement.Iterable, scope), scope, output, depth: 0);

    private Flow RunLoop(For statement, Value iterable, Scope scope, BoundedText output, int depth)
    {
        IEnumerable<Value> items = Iterate(iterable);
        long? length = iterable is GeneratorValue or TextValue ? null : iterable.Length;
        if (statement.Condition is { } condition)
        {
            items = Where(items, condition, statement.Target, scope);
            length = null;
        }

        var loop = new LoopValue(items, length, depth, statement.IsRecursive ? Recurse : null);
        bool isEmpty = true;
        while (loop.MoveNext())
        {
            isEmpty = false;
            var inner = new Scope(scope);
            Assign(statement.Target, loop.Current, inner);
            inner.Set("loop", loop);
            if (Execute(statement.Body, inner, output) == Flow.Break)
                return Flow.Next;
        }

        return isEmpty ? Execute(statement.Else, new Scope(scope), output) : Flow.Next;

        TextValue Recurse(Value inner)
        {
            var text = new BoundedText(budget);
            RunLoop(statement, inner, scope, text, depth + 1);
            return new TextValue(text.ToString());
        }
    }

    private IEnumerable<Value> Where(IEnumerable<Value> items, Expression condition, Target target, Scope scope)
    {
        foreach (Value item in items)
        {
            var inner = new Scope(scope);
            Assign(target, item, inner);
            if (Evaluate(condition, inner).IsTrue)
                yield return item;
        }
    }

    private Flow ExecuteWith(With statement, Scope scope, BoundedText output)
    {
        var inner = new Scope(scope);
        foreach ((Target target, Expression value) in statement.Items)
            Assign(target, Evaluate(value, scope), inner);
        return Execute(statement.Body, inner, output);
    }

    private void ExecuteCall(CallBlock statement, Scope scope, BoundedText output)
    {
        Value callee = Evaluate(statement.Call.Target, scope);
        CallArguments arguments = Evaluate(statement.Call.Arguments, scope);
        var caller = new MacroValue(statement.Caller, scope);
        Line = statement.Line;
        output.Append(Str(Call(callee, arguments with { Named = [.. arguments.Named, ("caller", caller)] })));
    }

    private string Capture(Statement[] body, Scope scope)
    {
        var text = new BoundedText(budget);
        Execute(body, scope, text);
        return text.ToString();
    }

    private Value Filtered(string text, FilterCall[] filters, Scope scope)
    {
        Value value = new TextValue(text);
        foreach (FilterCall filter in filters)
            value = ApplyFilter(value, filter, scope);
        return value;
    }

    private void Assign(Target target, Value value, Scope scope)
    {
        switch (target)
        {
            case NameTarget name:
                scope.Set(name.Name, value);
                break;
            case AttributeTarget attribute:
                if (scope.Find(attribute.Namespace) is not NamespaceValue names)
                    throw new Fault($"'{attribute.Namespace}' is no namespace, and only their attributes can be set");
                names.Set(attribute.Attribute, value);
                break;
            case TupleTarget tuple:
                Unpack(tuple.Items, value, scope);
                break;
        }
    }

    private void Unpack(Target[] targets, Value value, Scope scope)
    {
        IEnumerable<Value> items = value.Iterate(budget) ?? throw new Fault($"cannot unpack non-iterable {value.TypeName} object");
        var taken = new List<Value>();
        foreach (Value item in items)
        {
            if (taken.Count == targets.Length)
                throw new Fault($"too many values to unpack (expected {targets.Length})");
            taken.Add(item);
        }

        if (taken.Count < targets.Length)
            throw new Fault($"not enough values to unpack (expected {targets.Length}, got {taken.Count})");
        for (int i = 0; i < targets.Length; i++)
            Assign(targets[i], taken[i], scope);
    }

    /// <summary>Calls a macro: its text.</summary>
    internal TextValue CallMacro(MacroDefinition macro, Scope outer, CallArguments arguments)
    {
        budget.Enter();
        var scope = new Scope(outer);
        Value[] positional = arguments.Positional;
        budget.Step((positional.Length / 8) + (arguments.Named.Length * (1L + macro.Parameters.Length) / 8));
        var named = new List<(string Name, Value Value)>(arguments.Named);
        int given = Math.Min(positional.Length, macro.Parameters.Length);
        for (int i = 0; i < macro.Parameters.Length; i++)
        {
            (string name, Expression? fallback) = macro.Parameters[i];
            int at = i < given ? -1 : named.FindIndex(argument => argument.Name == name);
            Value value = i < given ? positional[i]
                : at >= 0 ? named[at].Value
                : fallback is not null ? Evaluate(fallback, scope)
                : new UndefinedValue($"parameter '{name}' was not provided");
            if (at >= 0)
                named.RemoveAt(at);
            scope.Set(name, value);
        }

        BindRest(macro, positional[given..], named, scope);
        int line = Line;
        var text = new TextValue(Capture(macro.Body, scope));
        Line = line;
        budget.Leave();
        return text;
    }

    private void BindRest(MacroDefinition macro, Value[] rest, List<(string Name, Value Value)> named, Scope scope)
    {
        if (macro.UsesCaller && !macro.Parameters.Any(parameter => parameter.Name == "caller"))
        {
            int at = named.FindIndex(argument => argument.Name == "caller");
            scope.Set("caller", at >= 0 ? named[at].Value : new UndefinedValue("the macro is not called by a 'call' block"));
            if (at >= 0)
                named.RemoveAt(at);
        }

        if (macro.UsesVarargs)
            scope.Set("varargs", new TupleValue(rest));
        else if (rest.Length > 0)
            throw new Fault($"macro '{macro.Name}' takes not more than {macro.Parameters.Length} argument(s)");

        if (macro.UsesKwargs)
        {
            var kwargs = new DictionaryValue(budget);
            foreach ((string name, Value value) in named)
                kwargs.Set(new TextValue(name), value);
            scope.Set("kwargs", kwargs);
        }
        else if (named.Count > 0)
        {
            throw new Fault($"macro '{macro.Name}' takes no keyword argument '{named[0].Name}'");
        }
    }
}
