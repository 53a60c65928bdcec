namespace Pure.Chat.Templates;

/// <summary>The tests: what can follow <c>is</c>.</summary>
internal static class Tests
{
    internal static readonly FunctionTable Table = new(
        Of("boolean", value => value is BooleanValue),
        Of("callable", value => value is CallableValue or UndefinedValue),
        Of("defined", value => value is not UndefinedValue),
        Of("undefined", value => value is UndefinedValue),
        Of("escaped", value => value is TextValue { IsSafe: true }),
        Of("false", value => value is BooleanValue { IsTrue: false }),
        Of("true", value => value is BooleanValue { IsTrue: true }),
        Of("float", value => value is FloatValue),
        Of("integer", value => value is IntegerValue),
        Of("number", Numbers.IsNumber),
        Of("none", value => value is NoneValue),
        Of("string", value => value is TextValue),
        Of("mapping", value => value is DictionaryValue),
        Of("sequence", value => value is TextValue or ListValue or TupleValue or DictionaryValue or RangeValue or UndefinedValue),
        Of("even", "value", (a, e) => Leaves(a[0], IntegerValue.Of(2), 0, e)),
        Of("odd", "value", (a, e) => Leaves(a[0], IntegerValue.Of(2), 1, e)),
        Of("divisibleby", "value, num", (a, e) => Leaves(a[0], a[1], 0, e)),
        Of("iterable", "value", (a, e) => a[0].Iterate(e.Budget) is not null),
        Of("lower", "value", (a, e) => IsLower(e.CountedStr(a[0]))),
        Of("upper", "value", (a, e) => IsUpper(e.CountedStr(a[0]))),
        Of("sameas", "value, other", (a, _) => AreSame(a[0], a[1])),
        Of("in", "value, seq", (a, e) => Comparison.Contains(a[1], a[0], e.Budget)),
        Of("filter", "value", (a, _) => a[0] is TextValue name && Filters.Table.TryFind(name.Text, out Builtin? _)),
        Of("test", "value", (a, _) => a[0] is TextValue name && Table!.TryFind(name.Text, out Builtin? _)),
        Compare("eq", "=="), Compare("equalto", "=="), Compare("==", "=="),
        Compare("ne", "!="), Compare("!=", "!="),
        Compare("lt", "<"), Compare("lessthan", "<"), Compare("<", "<"),
        Compare("le", "<="), Compare("<=", "<="),
        Compare("gt", ">"), Compare("greaterthan", ">"), Compare(">", ">"),
        Compare("ge", ">="), Compare(">=", ">="));

    /// <summary><c>str.islower</c>: a letter that is lower, and none that is upper.</summary>
    internal static bool IsLower(string text) => text.Any(char.IsLower) && !text.Any(char.IsUpper);

    /// <summary><c>str.isupper</c></summary>
    internal static bool IsUpper(string text) => text.Any(char.IsUpper) && !text.Any(char.IsLower);

    private static Builtin Of(string name, Func<Value, bool> holds) => Of(name, "value", (a, _) => holds(a[0]));

    private static Builtin Of(string name, string parameters, Func<BuiltinArguments, Evaluator, bool> holds) =>
        new(name, parameters, (arguments, evaluator) => BooleanValue.Of(holds(arguments, evaluator)));

    private static Builtin Compare(string name, string symbol) =>
        Of(name, "value, other", (a, e) => Comparison.Holds(symbol, a[0], a[1], e.Budget));

    private static bool Leaves(Value value, Value divisor, int rest, Evaluator evaluator) =>
        Comparison.AreEqual(Arithmetic.Binary("%", value, divisor, evaluator), IntegerValue.Of(rest), evaluator.Budget);

    /// <summary>Python shares small numbers and none, true and false; texts that are equal often.</summary>
    private static bool AreSame(Value a, Value b) => ReferenceEquals(a, b) || (a, b) switch
    {
        (IntegerValue x, IntegerValue y) => x.Number == y.Number,
        (TextValue x, TextValue y) => x.Text == y.Text,
        _ => false,
    };
}
