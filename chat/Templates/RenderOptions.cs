namespace Pure.Chat.Templates;

/// <summary>
/// The clock and the limits of one rendering. A template comes with a model, from anywhere: the limits see to it that it ends, in
/// bounded memory. The defaults are some hundred times what a conversation of a million tokens needs.
/// </summary>
public sealed record RenderOptions
{
    /// <summary>What <c>strftime_now</c> says. Default: the local time at which these options were made.</summary>
    public DateTime Now { get; init; } = DateTime.Now;

    /// <summary>Most nodes of the template to evaluate and most items to look at.</summary>
    public long MaxSteps { get; init; } = 20_000_000;

    /// <summary>Most UTF-16 units to write or look through, all texts made on the way included.</summary>
    public long MaxCharacters { get; init; } = 1L << 28;

    /// <summary>Most UTF-16 units in one text, and so in the prompt.</summary>
    public int MaxTextLength { get; init; } = 1 << 25;

    /// <summary>Deepest nesting of expressions, blocks, macro calls and values.</summary>
    public int MaxDepth { get; init; } = 1000;
}
