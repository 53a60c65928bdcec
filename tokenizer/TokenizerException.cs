namespace Pure.Tokenizers;

/// <summary>A vocabulary that cannot be used, or a text that it cannot spell. The message is one sentence: what, where,
/// what was expected and what was found.</summary>
public sealed class TokenizerException : Exception
{
    /// <summary>An exception with no message.</summary>
    public TokenizerException() { }

    /// <summary>An exception that says <paramref name="message"/>.</summary>
    public TokenizerException(string message) : base(message) { }

    /// <summary>An exception that says <paramref name="message"/> and has a cause.</summary>
    public TokenizerException(string message, Exception innerException) : base(message, innerException) { }
}
