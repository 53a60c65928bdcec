namespace Pure.Tokenizers.Pipeline;

/// <summary>How much longer than a text what a pipeline makes of it may be. Steps that lengthen it a little each, one after
/// the other, would otherwise let a small file fill the memory.</summary>
internal static class Growth
{
    /// <summary>The longest decomposition of a character has 18; nothing sensible comes near this.</summary>
    private const long MostPerCharacter = 64;

    /// <exception cref="TokenizerException">The text has grown too long.</exception>
    public static void Check(long length, int original, string what)
    {
        if (length > MostPerCharacter * original + 1024)
            throw new TokenizerException(
                $"{what} makes {length} characters of {original}, where at most {MostPerCharacter} of each are expected; "
                + "the tokenizer's file is damaged.");
    }
}
