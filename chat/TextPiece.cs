using Pure.Engine.Generation;

namespace Pure.Chat;

/// <summary>What one more token made certain of a text.</summary>
/// <param name="Text">
/// The text; empty while a character or what may be a stop string is unfinished. All pieces together are the whole text.
/// </param>
/// <param name="Token">The token; <see langword="null"/> for text that was held back until the end.</param>
public readonly record struct TextPiece(string Text, GeneratedToken? Token);

/// <summary>Why a text ended.</summary>
public enum StopReason
{
    /// <summary>The model ended it with an end token.</summary>
    EndOfText,

    /// <summary>One of <see cref="TextOptions.Stop"/> appeared.</summary>
    StopString,

    /// <summary><see cref="TextOptions.MaxTokens"/> were written.</summary>
    MaxTokens,

    /// <summary>The context holds no further token.</summary>
    ContextFull,

    /// <summary>The caller cancelled it or stopped reading.</summary>
    Cancelled,
}
