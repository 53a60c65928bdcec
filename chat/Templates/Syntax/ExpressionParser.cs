using System.Globalization;
using System.Numerics;
using System.Text;

namespace Pure.Chat.Templates;

/// <summary>
/// Reads expressions by recursive descent. From loose to tight: <c>if else</c>, <c>or</c>, <c>and</c>, <c>not</c>, comparisons and
/// <c>in</c>, <c>+ -</c>, <c>~</c>, <c>* / // %</c>, <c>**</c> (to the left, unlike Python's), signs, then filters, tests and calls.
/// </summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    private const int MostIntegerDigits = 2000;
    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    /// <summary>Names that were read, for those who ask what a macro's body uses.</summary>
    internal List<string> SeenNames { get; } = [];

    /// <summary>An expression.</summary>
    internal Expression Parse()
    {
        tokens.Enter();
        Expression expression = ParseConditional();
        tokens.Leave();
        return expression;
    }

    /// <summary>An expression that is no <c>a if b</c>, so that an <c>if</c> can follow it.</summary>
    internal Expression ParseUnconditional()
    {
        tokens.Enter();
        Expression expression = ParseOr();
        tokens.Leave();
        return expression;
    }

    /// <summary>One expression, or several with commas: a tuple.</summary>
    internal Expression ParseTuple(bool conditional = true)
    {
        int line = tokens.Line;
        Expression first = conditional ? Parse() : ParseUnconditional();
        return tokens.Current.IsOperator(",") ? ParseTupleRest(line, first, conditional) : first;
    }

    /// <summary><c>| name(arguments)</c>, any number of times.</summary>
    internal FilterCall[] ParseFilterCalls()
    {
        var calls = new List<FilterCall>();
        do
            calls.Add(ParseFilterCall());
        while (tokens.TakeIfOperator("|"));
        return [.. calls];
    }

    /// <summary>A name, a call, an attribute, a filter: what <c>call</c> blocks call.</summary>
    internal Expression ParseOperand() => ParseUnary(withFilters: true);

    private TupleLiteral ParseTupleRest(int line, Expression first, bool conditional)
    {
        var items = new List<Expression> { first };
        while (tokens.TakeIfOperator(",") && !EndsTuple())
            items.Add(conditional ? Parse() : ParseUnconditional());
        return new TupleLiteral(line, [.. items]);
    }

    private bool EndsTuple() =>
        tokens.Current.Kind is TokenKind.PrintEnd or TokenKind.BlockEnd or TokenKind.End
        || tokens.Current.IsOperator(")") || tokens.Current.IsName("recursive");

    private Expression ParseConditional()
    {
        Expression expression = ParseOr();
        while (tokens.Current.IsName("if"))
        {
            int line = tokens.Take().Line;
            Expression test = ParseOr();
            Expression? otherwise = tokens.TakeIfName("else") ? Parse() : null;
            expression = new Conditional(line, test, expression, otherwise);
        }

        return expression;
    }

    private Expression ParseOr() => ParseLogical("or", isAnd: false, ParseAnd);

    private Expression ParseAnd() => ParseLogical("and", isAnd: true, ParseNot);

    private Expression ParseLogical(string word, bool isAnd, Func<Expression> parseOperand)
    {
        Expression first = parseOperand();
        if (!tokens.Current.IsName(word))
            return first;
        int line = tokens.Line;
        var operands = new List<Expression> { first };
        while (tokens.TakeIfName(word))
            operands.Add(parseOperand());
        return new Logical(line, isAnd, [.. operands]);
    }

    private Expression ParseNot()
    {
        if (!tokens.Current.IsName("not"))
            return ParseCompare();
        int line = tokens.Take().Line;
        tokens.Enter();
        var expression = new Unary(line, "not", ParseNot());
        tokens.Leave();
        return expression;
    }

    private Expression ParseCompare()
    {
        int line = tokens.Line;
        Expression first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (TakeComparison() is { } comparison)
            rest.Add((comparison, ParseSum()));
        return rest.Count == 0 ? first : new Compare(line, first, [.. rest]);
    }

    private string? TakeComparison()
    {
        Token token = tokens.Current;
        if (token.Kind == TokenKind.Operator && Comparisons.Contains(token.Text))
            return tokens.Take().Text;
        if (tokens.TakeIfName("in"))
            return "in";
        if (!token.IsName("not") || !tokens.Next.IsName("in"))
            return null;
        tokens.Take();
        tokens.Take();
        return "not in";
    }

    private Expression ParseSum() => ParseBinary(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation()
    {
        Expression first = ParseProduct();
        if (!tokens.Current.IsOperator("~"))
            return first;
        int line = tokens.Line;
        var parts = new List<Expression> { first };
        while (tokens.TakeIfOperator("~"))
            parts.Add(ParseProduct());
        return new Concatenation(line, [.. parts]);
    }

    private Expression ParseProduct() => ParseBinary(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => ParseBinary(() => ParseUnary(withFilters: true), "**");

    private Expression ParseBinary(Func<Expression> parseOperand, params ReadOnlySpan<string> operators)
    {
        Expression left = parseOperand();
        while (tokens.Current.Kind == TokenKind.Operator && operators.Contains(tokens.Current.Text))
        {
            Token token = tokens.Take();
            left = new Binary(token.Line, token.Text, left, parseOperand());
        }

        return left;
    }

    private Expression ParseUnary(bool withFilters)
    {
        tokens.Enter();
        Token token = tokens.Current;
        Expression expression;
        if (token.IsOperator("-") || token.IsOperator("+"))
        {
            tokens.Take();
            expression = new Unary(token.Line, token.Text, ParseUnary(withFilters: false));
        }
        else
        {
            expression = ParsePrimary();
        }

        expression = ParsePostfix(expression);
        if (withFilters)
            expression = ParseFiltersAndTests(expression);
        tokens.Leave();
        return expression;
    }

    private Expression ParsePrimary()
    {
        Token token = tokens.Take();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return ParseName(token);
            case TokenKind.Text:
                return ParseText(token);
            case TokenKind.Integer:
                return new Literal(token.Line, ParseInteger(token));
            case TokenKind.Float:
                return new Literal(token.Line, new FloatValue(double.Parse(
                    token.Text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture)));
            case TokenKind.Operator when token.Text == "(":
                return ParseParentheses(token.Line);
            case TokenKind.Operator when token.Text == "[":
                return new ListLiteral(token.Line, ParseItems("]"));
            case TokenKind.Operator when token.Text == "{":
                return ParseDictionary(token.Line);
            default:
                throw new SyntaxFault(token.Line, $"expected an expression, found {token.Description}");
        }
    }

    private Expression ParseName(Token token)
    {
        switch (token.Text)
        {
            case "true" or "True":
                return new Literal(token.Line, BooleanValue.True);
            case "false" or "False":
                return new Literal(token.Line, BooleanValue.False);
            case "none" or "None":
                return new Literal(token.Line, NoneValue.Instance);
            default:
                SeenNames.Add(token.Text);
                return new Name(token.Line, token.Text);
        }
    }

    /// <summary>A string, or several in a row, which are one.</summary>
    private Literal ParseText(Token token)
    {
        if (tokens.Current.Kind != TokenKind.Text)
            return new Literal(token.Line, new TextValue(token.Text));
        var text = new StringBuilder(token.Text);
        while (tokens.Current.Kind == TokenKind.Text)
            text.Append(tokens.Take().Text);
        return new Literal(token.Line, new TextValue(text.ToString()));
    }

    private static IntegerValue ParseInteger(Token token)
    {
        if (token.Text.Length > MostIntegerDigits)
            throw new SyntaxFault(token.Line, $"a number has {token.Text.Length} digits, expected at most {MostIntegerDigits}");
        return PythonNumbers.ParseInteger(token.Text, 0) is { } value
            ? IntegerValue.Of(value)
            : throw new SyntaxFault(token.Line, $"{token.Description} is no number");
    }

    private Expression ParseParentheses(int line)
    {
        if (tokens.TakeIfOperator(")"))
            return new TupleLiteral(line, []);
        Expression expression = ParseTuple();
        tokens.ExpectOperator(")");
        return expression;
    }

    private Expression[] ParseItems(string end)
    {
        var items = new List<Expression>();
        while (!tokens.TakeIfOperator(end))
        {
            if (items.Count > 0)
                tokens.ExpectOperator(",");
            if (tokens.TakeIfOperator(end))
                break;
            items.Add(Parse());
        }

        return [.. items];
    }

    private DictionaryLiteral ParseDictionary(int line)
    {
        var items = new List<(Expression, Expression)>();
        while (!tokens.TakeIfOperator("}"))
        {
            if (items.Count > 0)
                tokens.ExpectOperator(",");
            if (tokens.TakeIfOperator("}"))
                break;
            Expression key = Parse();
            tokens.ExpectOperator(":");
            items.Add((key, Parse()));
        }

        return new DictionaryLiteral(line, [.. items]);
    }

    private Expression ParsePostfix(Expression expression)
    {
        while (true)
        {
            Token token = tokens.Current;
            if (token.IsOperator("."))
            {
                tokens.Take();
                expression = ParseDot(expression, token.Line);
            }
            else if (token.IsOperator("["))
            {
                tokens.Take();
                expression = ParseSubscript(expression, token.Line);
            }
            else if (token.IsOperator("("))
            {
                expression = new Call(token.Line, expression, ParseArguments());
            }
            else
            {
                return expression;
            }
        }
    }

    private Expression ParseDot(Expression target, int line)
    {
        Token token = tokens.Take();
        return token.Kind switch
        {
            TokenKind.Name => new GetAttribute(line, target, token.Text),
            TokenKind.Integer => new GetItem(line, target, new Literal(line, ParseInteger(token))),
            _ => throw new SyntaxFault(token.Line, $"expected a name after '.', found {token.Description}"),
        };
    }

    private Expression ParseSubscript(Expression target, int line)
    {
        if (tokens.TakeIfOperator("]"))
            return new GetItem(line, target, new TupleLiteral(line, []));
        Expression? first = tokens.Current.IsOperator(":") ? null : Parse();
        if (tokens.Current.IsOperator(":"))
            return ParseSlice(target, first, line);
        if (!tokens.Current.IsOperator(","))
        {
            tokens.ExpectOperator("]");
            return new GetItem(line, target, first!);
        }

        var items = new List<Expression> { first! };
        while (tokens.TakeIfOperator(",") && !tokens.Current.IsOperator("]"))
            items.Add(Parse());
        tokens.ExpectOperator("]");
        return new GetItem(line, target, new TupleLiteral(line, [.. items]));
    }

    private Slice ParseSlice(Expression target, Expression? start, int line)
    {
        tokens.ExpectOperator(":");
        Expression? stop = EndsPart() ? null : Parse();
        Expression? step = tokens.TakeIfOperator(":") && !EndsPart() ? Parse() : null;
        tokens.ExpectOperator("]");
        return new Slice(line, target, start, stop, step);

        bool EndsPart() => tokens.Current.IsOperator(":") || tokens.Current.IsOperator("]");
    }

    private Expression ParseFiltersAndTests(Expression expression)
    {
        while (true)
        {
            Token token = tokens.Current;
            if (token.IsOperator("|"))
            {
                tokens.Take();
                expression = new Filter(token.Line, expression, ParseFilterCall());
            }
            else if (token.IsName("is"))
            {
                tokens.Take();
                expression = ParseTest(expression, token.Line);
            }
            else if (token.IsOperator("("))
            {
                expression = new Call(token.Line, expression, ParseArguments());
            }
            else
            {
                return expression;
            }
        }
    }

    private FilterCall ParseFilterCall()
    {
        int line = tokens.Line;
        string name = ParseDottedName("the name of a filter");
        return new FilterCall(line, name, tokens.Current.IsOperator("(") ? ParseArguments() : Arguments.None);
    }

    private string ParseDottedName(string description)
    {
        var name = new StringBuilder(tokens.Expect(TokenKind.Name, description).Text);
        while (tokens.TakeIfOperator("."))
            name.Append('.').Append(tokens.Expect(TokenKind.Name, "a name").Text);
        return name.ToString();
    }

    private Test ParseTest(Expression target, int line)
    {
        bool negated = tokens.TakeIfName("not");
        string name = ParseDottedName("the name of a test");
        Token token = tokens.Current;
        Arguments arguments = Arguments.None;
        if (token.IsOperator("("))
            arguments = ParseArguments();
        else if (BeginsTestArgument(token))
            arguments = new Arguments([ParsePostfix(ParsePrimary())], [], null, null);
        return new Test(line, target, name, arguments, negated);
    }

    private bool BeginsTestArgument(Token token)
    {
        if (token.IsName("is"))
            throw tokens.Error("two tests in a row; put brackets around the first");
        return token.Kind switch
        {
            TokenKind.Name => token.Text is not ("else" or "or" or "and" or "if" or "in" or "not"),
            TokenKind.Text or TokenKind.Integer or TokenKind.Float => true,
            _ => token.IsOperator("[") || token.IsOperator("{"),
        };
    }

    private Arguments ParseArguments()
    {
        tokens.ExpectOperator("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? star = null;
        Expression? stars = null;
        bool isFirst = true;
        while (!tokens.TakeIfOperator(")"))
        {
            if (!isFirst)
                tokens.ExpectOperator(",");
            if (!isFirst && tokens.TakeIfOperator(")"))
                break;
            isFirst = false;
            if (star is null && stars is null && tokens.TakeIfOperator("*"))
            {
                star = Parse();
            }
            else if (stars is null && tokens.TakeIfOperator("**"))
            {
                stars = Parse();
            }
            else if (stars is null && tokens.Current.Kind == TokenKind.Name && tokens.Next.IsOperator("="))
            {
                string name = tokens.Take().Text;
                tokens.Take();
                named.Add((name, Parse()));
            }
            else if (named.Count == 0 && star is null && stars is null)
            {
                positional.Add(Parse());
            }
            else
            {
                throw tokens.Error("an argument without a name follows one with a name");
            }
        }

        return new Arguments([.. positional], [.. named], star, stars);
    }
}
