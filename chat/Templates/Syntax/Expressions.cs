namespace Pure.Chat.Templates;

/// <summary>What has a value.</summary>
internal abstract record Expression(int Line);

internal sealed record Literal(int Line, Value Value) : Expression(Line);

internal sealed record Name(int Line, string Text) : Expression(Line);

internal sealed record ListLiteral(int Line, Expression[] Items) : Expression(Line);

internal sealed record TupleLiteral(int Line, Expression[] Items) : Expression(Line);

internal sealed record DictionaryLiteral(int Line, (Expression Key, Expression Value)[] Items) : Expression(Line);

/// <summary><c>-x</c>, <c>+x</c>, <c>not x</c>.</summary>
internal sealed record Unary(int Line, string Operator, Expression Operand) : Expression(Line);

/// <summary><c>+ - * / // % **</c></summary>
internal sealed record Binary(int Line, string Operator, Expression Left, Expression Right) : Expression(Line);

/// <summary><c>and</c> or <c>or</c>: the operand that decides.</summary>
internal sealed record Logical(int Line, bool IsAnd, Expression[] Operands) : Expression(Line);

/// <summary><c>a &lt; b == c in d</c>: each operand is evaluated once.</summary>
internal sealed record Compare(int Line, Expression First, (string Operator, Expression Operand)[] Rest) : Expression(Line);

/// <summary><c>a ~ b ~ c</c></summary>
internal sealed record Concatenation(int Line, Expression[] Parts) : Expression(Line);

/// <summary><c>a if test else b</c></summary>
internal sealed record Conditional(int Line, Expression Test, Expression Then, Expression? Else) : Expression(Line);

/// <summary><c>a.name</c></summary>
internal sealed record GetAttribute(int Line, Expression Target, string Attribute) : Expression(Line);

/// <summary><c>a[key]</c></summary>
internal sealed record GetItem(int Line, Expression Target, Expression Key) : Expression(Line);

/// <summary><c>a[start:stop:step]</c></summary>
internal sealed record Slice(int Line, Expression Target, Expression? Start, Expression? Stop, Expression? Step) : Expression(Line);

internal sealed record Call(int Line, Expression Target, Arguments Arguments) : Expression(Line);

/// <summary><c>a | name(arguments)</c></summary>
internal sealed record Filter(int Line, Expression Target, FilterCall Call) : Expression(Line);

/// <summary><c>a is name(arguments)</c></summary>
internal sealed record Test(int Line, Expression Target, string Name, Arguments Arguments, bool IsNegated) : Expression(Line);

/// <summary>A filter with its arguments, without what it filters.</summary>
internal sealed record FilterCall(int Line, string Name, Arguments Arguments);

/// <summary>The arguments of a call: <c>(a, name=b, *star, **stars)</c>.</summary>
internal sealed record Arguments(Expression[] Positional, (string Name, Expression Value)[] Named, Expression? Star, Expression? Stars)
{
    internal static readonly Arguments None = new([], [], null, null);
}
