using System.Runtime.CompilerServices;

namespace Pure.Chat.Templates;

/// <summary>The tokens of a template, read one after the other, and the depth at which they nest.</summary>
internal sealed class TokenReader(List<Token> tokens)
{
    private const int MostDepth = 500;
    private int _at;
    private int _depth;

    internal Token Current => tokens[_at];

    internal Token Next => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    internal int Line => Current.Line;

    /// <summary>Takes the current token.</summary>
    internal Token Take()
    {
        Token token = Current;
        if (token.Kind != TokenKind.End)
            _at++;
        return token;
    }

    internal bool TakeIfOperator(string text)
    {
        if (!Current.IsOperator(text))
            return false;
        _at++;
        return true;
    }

    internal bool TakeIfName(string text)
    {
        if (!Current.IsName(text))
            return false;
        _at++;
        return true;
    }

    internal void ExpectOperator(string text)
    {
        if (!TakeIfOperator(text))
            throw Error($"expected '{text}', found {Current.Description}");
    }

    internal Token Expect(TokenKind kind, string description) =>
        Current.Kind == kind ? Take() : throw Error($"expected {description}, found {Current.Description}");

    internal void Enter()
    {
        if (++_depth > MostDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Error($"the template nests deeper than {_depth - 1} levels");
    }

    internal void Leave() => _depth--;

    internal SyntaxFault Error(string message) => new(Line, message);
}
