namespace Pure.Chat.Templates;

/// <summary>What writes or changes something.</summary>
internal abstract record Statement(int Line);

/// <summary>Text outside of tags.</summary>
internal sealed record Data(int Line, string Text) : Statement(Line);

/// <summary><c>{{ expression }}</c></summary>
internal sealed record Print(int Line, Expression Expression) : Statement(Line);

/// <summary><c>if</c>, <c>elif</c>…, <c>else</c>.</summary>
internal sealed record If(int Line, (Expression Test, Statement[] Body)[] Branches, Statement[] Else) : Statement(Line);

/// <summary><c>for target in iterable if condition recursive</c></summary>
internal sealed record For(
    int Line, Target Target, Expression Iterable, Expression? Condition, Statement[] Body, Statement[] Else, bool IsRecursive)
    : Statement(Line);

/// <summary><c>set target = expression</c></summary>
internal sealed record Set(int Line, Target Target, Expression Expression) : Statement(Line);

/// <summary><c>set target | filters</c> … <c>endset</c></summary>
internal sealed record SetBlock(int Line, Target Target, FilterCall[] Filters, Statement[] Body) : Statement(Line);

/// <summary><c>macro name(parameters)</c></summary>
internal sealed record Macro(int Line, MacroDefinition Definition) : Statement(Line);

/// <summary><c>call(parameters) expression</c>: the body is the macro <c>caller</c> of the call.</summary>
internal sealed record CallBlock(int Line, MacroDefinition Caller, Call Call) : Statement(Line);

/// <summary><c>filter name</c> … <c>endfilter</c></summary>
internal sealed record FilterBlock(int Line, FilterCall[] Filters, Statement[] Body) : Statement(Line);

/// <summary><c>with a = 1</c>, and the blocks that only bound names: <c>generation</c>, <c>block</c>, <c>autoescape false</c>.</summary>
internal sealed record With(int Line, (Target Target, Expression Value)[] Items, Statement[] Body) : Statement(Line);

/// <summary><c>do expression</c></summary>
internal sealed record Do(int Line, Expression Expression) : Statement(Line);

internal sealed record Break(int Line) : Statement(Line);

internal sealed record Continue(int Line) : Statement(Line);

/// <summary>A macro's signature and body. It takes further arguments only where the body names <c>varargs</c> or <c>kwargs</c>.</summary>
internal sealed record MacroDefinition(
    string Name, (string Name, Expression? Default)[] Parameters, Statement[] Body, bool UsesVarargs, bool UsesKwargs, bool UsesCaller);

/// <summary>What a value is assigned to.</summary>
internal abstract record Target;

internal sealed record NameTarget(string Name) : Target;

/// <summary>An attribute of a namespace.</summary>
internal sealed record AttributeTarget(string Namespace, string Attribute) : Target;

internal sealed record TupleTarget(Target[] Items) : Target;
