namespace Pure.Chat.Templates;

/// <summary>Reads a template's text and blocks.</summary>
internal sealed class StatementParser(TokenReader tokens)
{
    private readonly ExpressionParser _expressions = new(tokens);
    private int _loops;

    /// <summary>The whole template.</summary>
    internal Statement[] ParseTemplate()
    {
        Statement[] body = ParseBody();
        if (tokens.Current.Kind != TokenKind.End)
            throw tokens.Error($"'{tokens.Next.Text}' ends no block");
        return body;
    }

    /// <summary>Statements up to a block that begins with one of <paramref name="ends"/>, which is not read, or to the template's end.</summary>
    private Statement[] ParseBody(params ReadOnlySpan<string> ends)
    {
        tokens.Enter();
        int line = tokens.Line;
        var body = new List<Statement>();
        while (true)
        {
            Token token = tokens.Current;
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new Data(token.Line, tokens.Take().Text));
                    continue;
                case TokenKind.PrintBegin:
                    tokens.Take();
                    body.Add(new Print(token.Line, _expressions.ParseTuple()));
                    tokens.Expect(TokenKind.PrintEnd, "'}}'");
                    continue;
                case TokenKind.BlockBegin when !IsEnd(ends):
                    tokens.Take();
                    if (ParseBlock() is { } statement)
                        body.Add(statement);
                    continue;
                case TokenKind.End when ends.Length > 0:
                    throw new SyntaxFault(line, $"a block that begins here has no '{ends[^1]}'");
                default:
                    tokens.Leave();
                    return [.. body];
            }
        }
    }

    private bool IsEnd(ReadOnlySpan<string> ends)
    {
        Token token = tokens.Next;
        if (token.Kind != TokenKind.Name)
            return false;
        return ends.Contains(token.Text)
            || (ends.Length == 0 && (token.Text.StartsWith("end", StringComparison.Ordinal) || token.Text is "else" or "elif"));
    }

    /// <summary>Reads a body and its end tag, <c>{% end %}</c>.</summary>
    private Statement[] ParseBodyTo(string end)
    {
        Statement[] body = ParseBody(end);
        TakeEnd(end);
        return body;
    }

    private void TakeEnd(string end)
    {
        tokens.Take();
        tokens.Take();
        if (end is "endblock" or "endmacro" && tokens.Current.Kind == TokenKind.Name)
            tokens.Take();
        EndBlock();
    }

    private void EndBlock() => tokens.Expect(TokenKind.BlockEnd, "'%}'");

    private Statement? ParseBlock()
    {
        Token token = tokens.Expect(TokenKind.Name, "the name of a block");
        int line = token.Line;
        switch (token.Text)
        {
            case "if":
                return ParseIf(line);
            case "for":
                return ParseFor(line);
            case "set":
                return ParseSet(line);
            case "macro":
                return ParseMacro(line);
            case "call":
                return ParseCall(line);
            case "filter":
                FilterCall[] filters = _expressions.ParseFilterCalls();
                EndBlock();
                return new FilterBlock(line, filters, ParseBodyTo("endfilter"));
            case "with":
                return ParseWith(line);
            case "generation":
                EndBlock();
                return new With(line, [], ParseBodyTo("endgeneration"));
            case "block":
                return ParseNamedBlock(line);
            case "autoescape":
                return ParseAutoescape(line);
            case "do":
                Expression expression = _expressions.ParseTuple();
                EndBlock();
                return new Do(line, expression);
            case "break" or "continue":
                if (_loops == 0)
                    throw new SyntaxFault(line, $"'{token.Text}' stands in no loop");
                EndBlock();
                return token.Text == "break" ? new Break(line) : new Continue(line);
            case "include" or "import" or "from" or "extends":
                throw new SyntaxFault(line, $"'{token.Text}' needs other templates, and a chat template stands alone");
            default:
                throw new SyntaxFault(line, $"there is no block '{token.Text}'");
        }
    }

    private If ParseIf(int line)
    {
        var branches = new List<(Expression, Statement[])>();
        while (true)
        {
            Expression test = _expressions.ParseTuple(conditional: false);
            EndBlock();
            branches.Add((test, ParseBody("elif", "else", "endif")));
            tokens.Take();
            string word = tokens.Take().Text;
            if (word == "elif")
                continue;
            EndBlock();
            return new If(line, [.. branches], word == "else" ? ParseBodyTo("endif") : []);
        }
    }

    private For ParseFor(int line)
    {
        Target target = ParseTarget(namespaces: false);
        if (!tokens.TakeIfName("in"))
            throw tokens.Error($"expected 'in', found {tokens.Current.Description}");
        Expression iterable = _expressions.ParseTuple(conditional: false);
        Expression? condition = tokens.TakeIfName("if") ? _expressions.Parse() : null;
        bool isRecursive = tokens.TakeIfName("recursive");
        EndBlock();
        _loops++;
        Statement[] body = ParseBody("else", "endfor");
        _loops--;
        tokens.Take();
        bool hasElse = tokens.Take().Text == "else";
        EndBlock();
        return new For(line, target, iterable, condition, body, hasElse ? ParseBodyTo("endfor") : [], isRecursive);
    }

    private Statement ParseSet(int line)
    {
        Target target = ParseTarget(namespaces: true);
        if (tokens.TakeIfOperator("="))
        {
            Expression expression = _expressions.ParseTuple();
            EndBlock();
            return new Set(line, target, expression);
        }

        FilterCall[] filters = tokens.TakeIfOperator("|") ? _expressions.ParseFilterCalls() : [];
        EndBlock();
        return new SetBlock(line, target, filters, ParseBodyTo("endset"));
    }

    private Macro ParseMacro(int line)
    {
        string name = tokens.Expect(TokenKind.Name, "the name of the macro").Text;
        return new Macro(line, ParseDefinition(name, "endmacro", ParseParameters()));
    }

    private CallBlock ParseCall(int line)
    {
        (string, Expression?)[] parameters = tokens.Current.IsOperator("(") ? ParseParameters() : [];
        if (_expressions.ParseOperand() is not Call call)
            throw new SyntaxFault(line, "'call' needs a call, such as {% call macro() %}");
        return new CallBlock(line, ParseDefinition("caller", "endcall", parameters), call);
    }

    private (string, Expression?)[] ParseParameters()
    {
        var parameters = new List<(string, Expression?)>();
        tokens.ExpectOperator("(");
        while (!tokens.TakeIfOperator(")"))
        {
            if (parameters.Count > 0)
                tokens.ExpectOperator(",");
            if (parameters.Count > 0 && tokens.TakeIfOperator(")"))
                break;
            string name = tokens.Expect(TokenKind.Name, "the name of a parameter").Text;
            Expression? fallback = tokens.TakeIfOperator("=") ? _expressions.Parse() : null;
            if (fallback is null && parameters.Count > 0 && parameters[^1].Item2 is not null)
                throw tokens.Error($"the parameter '{name}' has no default value and follows one that has");
            parameters.Add((name, fallback));
        }

        return [.. parameters];
    }

    private MacroDefinition ParseDefinition(string name, string end, (string, Expression?)[] parameters)
    {
        EndBlock();
        int loops = _loops;
        _loops = 0;
        int seen = _expressions.SeenNames.Count;
        Statement[] body = ParseBodyTo(end);
        _loops = loops;
        List<string> names = _expressions.SeenNames[seen..];
        return new MacroDefinition(
            name, parameters, body, names.Contains("varargs"), names.Contains("kwargs"), names.Contains("caller"));
    }

    private With ParseWith(int line)
    {
        var items = new List<(Target, Expression)>();
        while (tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (items.Count > 0)
                tokens.ExpectOperator(",");
            Target target = ParseTarget(namespaces: false);
            tokens.ExpectOperator("=");
            items.Add((target, _expressions.Parse()));
        }

        EndBlock();
        return new With(line, [.. items], ParseBodyTo("endwith"));
    }

    /// <summary>A named block: nothing can replace it here, so it stands where it is.</summary>
    private With ParseNamedBlock(int line)
    {
        tokens.Expect(TokenKind.Name, "the name of the block");
        while (tokens.Current.Kind == TokenKind.Name)
            tokens.Take();
        EndBlock();
        return new With(line, [], ParseBodyTo("endblock"));
    }

    private With ParseAutoescape(int line)
    {
        if (_expressions.Parse() is not Literal { Value.IsTrue: false })
            throw new SyntaxFault(line, "only 'autoescape false' is supported: a prompt is no HTML");
        EndBlock();
        return new With(line, [], ParseBodyTo("endautoescape"));
    }

    /// <summary>A name, or several with commas and brackets.</summary>
    private Target ParseTarget(bool namespaces)
    {
        Target first = ParseTargetItem(namespaces);
        if (!tokens.Current.IsOperator(","))
            return first;
        var items = new List<Target> { first };
        while (tokens.TakeIfOperator(",") && (tokens.Current.Kind == TokenKind.Name || tokens.Current.IsOperator("("))
            && !tokens.Current.IsName("in"))
        {
            items.Add(ParseTargetItem(namespaces));
        }

        return new TupleTarget([.. items]);
    }

    private Target ParseTargetItem(bool namespaces)
    {
        if (tokens.TakeIfOperator("("))
        {
            tokens.Enter();
            Target target = ParseTarget(namespaces);
            tokens.Leave();
            tokens.ExpectOperator(")");
            return target;
        }

        Token token = tokens.Expect(TokenKind.Name, "a name to assign to");
        if (token.Text is "true" or "false" or "none" or "True" or "False" or "None")
            throw new SyntaxFault(token.Line, $"'{token.Text}' cannot be assigned to");
        return namespaces && tokens.TakeIfOperator(".")
            ? new AttributeTarget(token.Text, tokens.Expect(TokenKind.Name, "the name of an attribute").Text)
            : new NameTarget(token.Text);
    }
}
