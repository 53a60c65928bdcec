namespace Pure.Engine.Generation.Grammars;

/// <summary>Reads GBNF, the grammar format of llama.cpp.</summary>
/// <remarks>llama.cpp, grammars/README.md. What names tokens of a vocabulary (<c>&lt;think&gt;</c>) is refused.</remarks>
internal sealed class GbnfReader
{
    private const int MostRules = 20_000;
    private const int MostNesting = 64;

    private readonly GrammarText _text;
    private readonly Dictionary<string, Rule> _rules = new(StringComparer.Ordinal);
    private int _nesting;

    private GbnfReader(string text) => _text = new GrammarText(text, "The grammar");

    /// <summary>The rule <c>root</c>.</summary>
    /// <exception cref="InvalidRequestException">The text is no grammar.</exception>
    internal static Expression Read(string text)
    {
        var reader = new GbnfReader(text);
        reader.Blanks(acrossLines: true);
        while (!reader._text.IsAtEnd)
            reader.ReadRule();
        Rule? undefined = reader._rules.Values.FirstOrDefault(rule => !rule.IsDefined);
        if (undefined is not null)
            throw new InvalidRequestException($"The grammar refers to the rule '{undefined.Name}', which it does not define.");
        return reader._rules.TryGetValue("root", out Rule? root)
            ? root.Definition
            : throw new InvalidRequestException("The grammar has no rule 'root', which says what the whole text is; add one.");
    }

    private void ReadRule()
    {
        int start = _text.Position;
        string name = ReadName();
        if (name.Length == 0)
            throw _text.Error("the name of a rule is expected");
        Blanks(acrossLines: false);
        _text.Require("::=");
        Blanks(acrossLines: true);
        Rule rule = Find(name);
        if (rule.IsDefined)
            throw _text.ErrorAt(start, $"the rule '{name}' is defined for the second time");
        rule.Definition = ReadAlternatives();
        if (!_text.IsAtEnd && !_text.Comes("\n") && !_text.Comes("\r"))
            throw _text.Error("a new line or '|' is expected");
        Blanks(acrossLines: true);
    }

    private Expression ReadAlternatives()
    {
        if (_nesting > MostNesting)
            throw _text.Error($"parentheses stand more than {MostNesting} deep");
        var options = new List<Expression> { ReadSequence() };
        while (_text.Take("|"))
        {
            Blanks(acrossLines: true);
            options.Add(ReadSequence());
        }

        return Expression.Any(options);
    }

    private Expression ReadSequence()
    {
        var parts = new List<Expression>();
        while (ReadElement() is { } element)
        {
            Blanks(acrossLines: _nesting > 0);
            while (ReadCounts() is var (least, most))
            {
                element = Expression.Repeat(element, least, most);
                Blanks(acrossLines: _nesting > 0);
            }

            parts.Add(element);
        }

        return Expression.Sequence(parts);
    }

    private Expression? ReadElement()
    {
        if (_text.Take("\""))
            return ReadLiteral();
        if (_text.Take("["))
            return ReadClass().ToUtf8();
        if (_text.Take("."))
            return CodePoints.All.ToUtf8();
        if (_text.Comes("<") || _text.Comes("!"))
            throw _text.Error("tokens of a vocabulary are not supported in grammars; write their text");
        if (_text.Take("("))
        {
            _nesting++;
            Blanks(acrossLines: true);
            Expression group = ReadAlternatives();
            _text.Require(")");
            _nesting--;
            return group;
        }

        string name = ReadName();
        return name.Length == 0 ? null : new Expression.Reference(Find(name));
    }

    private (int Least, int? Most)? ReadCounts()
    {
        if (_text.Take("*"))
            return (0, null);
        if (_text.Take("+"))
            return (1, null);
        if (_text.Take("?"))
            return (0, 1);
        return _text.Take("{") ? _text.ReadCounts() : null;
    }

    private Expression ReadLiteral()
    {
        var parts = new List<Expression>();
        while (!_text.Take("\""))
            parts.Add(CodePoints.One(ReadEscaped()).ToUtf8());
        return Expression.Sequence(parts);
    }

    private CodePoints ReadClass()
    {
        bool isComplement = _text.Take("^");
        var ranges = new List<(int First, int Last)>();
        while (!_text.Take("]"))
        {
            int start = _text.Position;
            int first = ReadEscaped();
            int last = first;
            if (_text.Comes("-") && !_text.Comes("-]"))
            {
                _text.Require("-");
                last = ReadEscaped();
            }

            if (last < first)
                throw _text.ErrorAt(start, "the range ends before it begins");
            ranges.Add((first, last));
        }

        CodePoints set = CodePoints.Of(ranges);
        return isComplement ? set.Complement() : set;
    }

    private int ReadEscaped()
    {
        int start = _text.Position;
        int character = _text.ReadCharacter();
        if (character != '\\')
            return character;
        int escape = _text.ReadCharacter();
        character = escape switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'x' => _text.ReadHex(2),
            'u' => _text.ReadHex(4),
            'U' => _text.ReadHex(8),
            '\\' or '"' or '[' or ']' or '-' or '^' => escape,
            _ => throw _text.ErrorAt(start, "there is no such escape; \\n, \\r, \\t, \\x, \\u, \\U and \\ before a sign of the grammar's own are known"),
        };
        if (!System.Text.Rune.IsValid(character))
            throw _text.ErrorAt(start, "there is no such character");
        return character;
    }

    private string ReadName() => _text.ReadWhile(unit => char.IsAsciiLetterOrDigit(unit) || unit is '-' or '_');

    private Rule Find(string name)
    {
        if (!_rules.TryGetValue(name, out Rule? rule))
        {
            if (_rules.Count == MostRules)
                throw _text.Error($"there are more than {MostRules} rules");
            _rules[name] = rule = new Rule(name);
        }

        return rule;
    }

    /// <summary>Passes over blanks and comments.</summary>
    private void Blanks(bool acrossLines)
    {
        while (true)
        {
            _text.ReadWhile(unit => unit is ' ' or '\t' || (acrossLines && unit is '\r' or '\n'));
            if (!_text.Comes("#"))
                return;
            _text.ReadWhile(unit => unit is not ('\r' or '\n'));
        }
    }
}
