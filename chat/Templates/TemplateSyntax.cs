namespace Pure.Chat.Templates;

/// <summary>How blanks around tags are read: Jinja's three settings, by default as chat templates are written for.</summary>
public sealed record TemplateSyntax
{
    /// <summary>A line feed right after a block or a comment is no text.</summary>
    public bool TrimBlocks { get; init; } = true;

    /// <summary>Blanks between the begin of a line and a block or a comment are no text.</summary>
    public bool LstripBlocks { get; init; } = true;

    /// <summary>Whether a line feed that ends the template is text.</summary>
    public bool KeepTrailingNewline { get; init; }
}
