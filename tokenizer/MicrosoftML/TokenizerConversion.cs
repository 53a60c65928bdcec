using MLTokenizer = Microsoft.ML.Tokenizers.Tokenizer;

namespace Pure.Tokenizers.MicrosoftML;

/// <summary>Lets a tokenizer of Microsoft.ML.Tokenizers serve as one of Pure's, and one of Pure's as one of that library.</summary>
/// <example>
/// <code>
/// Tokenizer tokenizer = TiktokenTokenizer.CreateForModel("gpt-4o").ToPure();
/// using var model = LanguageModel.Load("model.gguf", tokenizer);
/// </code>
/// </example>
public static class TokenizerConversion
{
    /// <summary>
    /// Makes one of Pure's tokenizers of any of Microsoft.ML.Tokenizers: ids and texts are what that library says, and a stream
    /// of tokens, put together, is what it decodes of all of them. Pure adds what it promises itself: control tokens are parsed
    /// only on request, and written only on request.
    /// </summary>
    /// <param name="tokenizer">The tokenizer; safe to use from many threads if it is.</param>
    /// <param name="roles">What the tokenizer does not tell of its tokens.</param>
    /// <remarks>
    /// Texts and bytes of single tokens are known exactly where the library shows its vocabulary. Of Tiktoken and WordPiece
    /// they are what it decodes of the token alone: the bytes of part of a character show as U+FFFD there, though never in
    /// decoded text.
    /// </remarks>
    /// <exception cref="TokenizerException">The vocabulary contradicts itself, or its size cannot be found out.</exception>
    public static Tokenizer ToPure(this MLTokenizer tokenizer, TokenRoles? roles = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return new BorrowedTokenizer(tokenizer, BorrowedVocabulary.Read(tokenizer, roles ?? new TokenRoles()));
    }

    /// <summary>
    /// Makes a tokenizer of Microsoft.ML.Tokenizers of one of Pure's. Offsets of tokens refer to the text, or to the normalized
    /// text where the tokenizer changes it; a character that several tokens spell belongs to the last of them. Pure's normalizing
    /// and pre-tokenizing are parts of the model, and are not left out on request.
    /// </summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="withSpecial">Whether the names of control tokens in a text stand for these tokens, and are written when
    /// tokens are decoded. Say <see langword="false"/> for text of unknown origin.</param>
    public static MLTokenizer ToMicrosoftML(this Tokenizer tokenizer, bool withSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return new LentTokenizer(tokenizer, withSpecial);
    }
}
