namespace Pure.Chat.Templates;

/// <summary>Expressions: what they are worth.</summary>
internal sealed partial class Evaluator
{
    private Value Evaluate(Expression expression, Scope scope)
    {
        budget.Step();
        switch (expression)
        {
            case Literal literal:
                return literal.Value;
            case Name name:
                return scope.Find(name.Text) ?? new UndefinedValue($"'{name.Text}' is undefined");
        }

        budget.Enter();
        Value value = EvaluateNested(expression, scope);
        budget.Leave();
        return value;
    }

    private Value EvaluateNested(Expression expression, Scope scope) => expression switch
    {
        GetAttribute get => EvaluateAttribute(get, scope),
        GetItem get => EvaluateItem(get, scope),
        Slice slice => EvaluateSlice(slice, scope),
        Call call => EvaluateCall(call, scope),
        Filter filter => ApplyFilter(Evaluate(filter.Target, scope), filter.Call, scope),
        Test test => EvaluateTest(test, scope),
        Compare compare => EvaluateCompare(compare, scope),
        Logical logical => EvaluateLogical(logical, scope),
        Binary binary => EvaluateBinary(binary, scope),
        Unary unary => EvaluateUnary(unary, scope),
        Concatenation concatenation => EvaluateConcatenation(concatenation, scope),
        Conditional conditional => EvaluateConditional(conditional, scope),
        ListLiteral list => new ListValue([.. EvaluateAll(list.Items, scope)]),
        TupleLiteral tuple => new TupleValue(EvaluateAll(tuple.Items, scope)),
        DictionaryLiteral dictionary => EvaluateDictionary(dictionary, scope),
        _ => throw new InvalidOperationException($"no case for {expression.GetType().Name}"),
    };

    private Value[] EvaluateAll(Expression[] expressions, Scope scope)
    {
        var values = new Value[expressions.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = Evaluate(expressions[i], scope);
        return values;
    }

    private Value EvaluateAttribute(GetAttribute get, Scope scope)
    {
        Value target = Evaluate(get.Target, scope);
        Line = get.Line;
        return Attribute(target, get.Attribute);
    }

    private Value EvaluateItem(GetItem get, Scope scope)
    {
        Value target = Evaluate(get.Target, scope);
        Value key = Evaluate(get.Key, scope);
        Line = get.Line;
        return Item(target, key);
    }

    private Value EvaluateSlice(Slice slice, Scope scope)
    {
        Value target = Evaluate(slice.Target, scope);
        Value? start = slice.Start is null ? null : Evaluate(slice.Start, scope);
        Value? stop = slice.Stop is null ? null : Evaluate(slice.Stop, scope);
        Value? step = slice.Step is null ? null : Evaluate(slice.Step, scope);
        Line = slice.Line;
        return Slicing.Of(target, start, stop, step, budget);
    }

    private Value EvaluateCall(Call call, Scope scope)
    {
        Value callee = Evaluate(call.Target, scope);
        CallArguments arguments = Evaluate(call.Arguments, scope);
        Line = call.Line;
        return Call(callee, arguments);
    }

    private CallArguments Evaluate(Arguments arguments, Scope scope)
    {
        if (arguments.Positional.Length == 0 && arguments.Named.Length == 0 && arguments.Star is null && arguments.Stars is null)
            return CallArguments.None;
        Value[] positional = EvaluateAll(arguments.Positional, scope);
        var named = new List<(string, Value)>();
        foreach ((string name, Expression value) in arguments.Named)
            named.Add((name, Evaluate(value, scope)));
        if (arguments.Star is not null)
            positional = [.. positional, .. Iterate(Evaluate(arguments.Star, scope))];
        if (arguments.Stars is not null)
        {
            if (Evaluate(arguments.Stars, scope) is not DictionaryValue dictionary)
                throw new Fault("what follows '**' in a call must be a mapping");
            foreach ((Value key, Value value) in dictionary.Pairs)
                named.Add(key is TextValue text ? (text.Text, value) : throw new Fault("the keys of what follows '**' must be strings"));
        }

        return new CallArguments(positional, [.. named]);
    }

    private Value ApplyFilter(Value value, FilterCall filter, Scope scope)
    {
        CallArguments arguments = Evaluate(filter.Arguments, scope);
        Line = filter.Line;
        return ApplyFilter(filter.Name, arguments.Prepend(value));
    }

    private BooleanValue EvaluateTest(Test test, Scope scope)
    {
        Value target = Evaluate(test.Target, scope);
        CallArguments arguments = Evaluate(test.Arguments, scope);
        Line = test.Line;
        return BooleanValue.Of(ApplyTest(test.Name, arguments.Prepend(target)) != test.IsNegated);
    }

    private BooleanValue EvaluateCompare(Compare compare, Scope scope)
    {
        Value left = Evaluate(compare.First, scope);
        foreach ((string symbol, Expression operand) in compare.Rest)
        {
            Value right = Evaluate(operand, scope);
            Line = compare.Line;
            if (!Comparison.Holds(symbol, left, right, budget))
                return BooleanValue.False;
            left = right;
        }

        return BooleanValue.True;
    }

    private Value EvaluateLogical(Logical logical, Scope scope)
    {
        Value value = Evaluate(logical.Operands[0], scope);
        for (int i = 1; i < logical.Operands.Length && value.IsTrue == logical.IsAnd; i++)
            value = Evaluate(logical.Operands[i], scope);
        return value;
    }

    private Value EvaluateBinary(Binary binary, Scope scope)
    {
        Value left = Evaluate(binary.Left, scope);
        Value right = Evaluate(binary.Right, scope);
        Line = binary.Line;
        return Arithmetic.Binary(binary.Operator, left, right, this);
    }

    private Value EvaluateUnary(Unary unary, Scope scope)
    {
        Value operand = Evaluate(unary.Operand, scope);
        Line = unary.Line;
        return unary.Operator == "not" ? BooleanValue.Of(!operand.IsTrue) : Arithmetic.Sign(unary.Operator, operand);
    }

    private TextValue EvaluateConcatenation(Concatenation concatenation, Scope scope)
    {
        var text = new BoundedText(budget);
        foreach (Expression part in concatenation.Parts)
            text.Append(Str(Evaluate(part, scope)));
        return new TextValue(text.ToString());
    }

    private Value EvaluateConditional(Conditional conditional, Scope scope)
    {
        if (Evaluate(conditional.Test, scope).IsTrue)
            return Evaluate(conditional.Then, scope);
        return conditional.Else is null
            ? new UndefinedValue("the condition of an 'if' without 'else' is false")
            : Evaluate(conditional.Else, scope);
    }

    private DictionaryValue EvaluateDictionary(DictionaryLiteral literal, Scope scope)
    {
        var dictionary = new DictionaryValue(budget);
        foreach ((Expression key, Expression value) in literal.Items)
            dictionary.Set(Evaluate(key, scope), Evaluate(value, scope));
        return dictionary;
    }
}
