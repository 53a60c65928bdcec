namespace Pure.Chat.Templates;

internal enum TokenKind
{
    /// <summary>Text between tags.</summary>
    Data,

    /// <summary><c>{{</c></summary>
    PrintBegin,

    /// <summary><c>}}</c></summary>
    PrintEnd,

    /// <summary><c>{%</c></summary>
    BlockBegin,

    /// <summary><c>%}</c></summary>
    BlockEnd,

    Name,
    Text,
    Integer,
    Float,
    Operator,

    /// <summary>After the last token.</summary>
    End,
}

/// <summary>A piece of a template. <see cref="Text"/> is what it says: of a string what it stands for, of a number its digits.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    internal bool IsOperator(string text) => Kind == TokenKind.Operator && Text == text;

    internal bool IsName(string text) => Kind == TokenKind.Name && Text == text;

    /// <summary>What an error calls it.</summary>
    internal string Description => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.PrintEnd => "'}}'",
        TokenKind.BlockEnd => "'%}'",
        TokenKind.PrintBegin => "'{{'",
        TokenKind.BlockBegin => "'{%'",
        TokenKind.Data => "text",
        TokenKind.Text => "a string",
        _ => $"'{(Text.Length > 40 ? Text[..40] + "…" : Text)}'",
    };
}
