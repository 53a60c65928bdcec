namespace Pure.Tokenizers;

/// <summary>Writes the tokens of one stream for a tokenizer whose tokens have no bytes of their own: another library's, which
/// decodes whole texts only.</summary>
internal abstract class TokenWriter
{
    /// <summary>The bytes that this token completes, often none.</summary>
    public abstract ReadOnlySpan<byte> Append(int id);

    /// <summary>The bytes that still wait, now that no token follows.</summary>
    public abstract ReadOnlySpan<byte> Flush();
}
