namespace Pure.Engine.Generation;

/// <summary>
/// Where guesses at the next tokens come from. A forward pass reads them together with the last token, and those that the sampler
/// then chooses anyway are kept. So guesses save passes over the weights and change no bit of what is written.
/// </summary>
/// <remarks>Leviathan, Kalman and Matias 2023, arXiv:2211.17192, with the sampler's own choice in place of their acceptance test.</remarks>
public enum Speculation
{
    /// <summary>Nothing is guessed: a forward pass for each token.</summary>
    None,

    /// <summary>
    /// What followed the last few tokens where they stood earlier in the text. Pays where a text repeats or quotes itself and a pass
    /// costs mostly the reading of weights; guesses rest where they prove wrong.
    /// </summary>
    Lookup,

    /// <summary>
    /// What a smaller model of the same vocabulary, <see cref="GenerationOptions.DraftModel"/>, finds most probable. Pays where that
    /// model costs a small part of this one and often agrees with it.
    /// </summary>
    DraftModel,

    /// <summary>What the model's own layer for the token after the next says; DeepSeek-V3's files may have one (<c>nextn</c>).</summary>
    NextTokens,
}

/// <summary>How well guessing went.</summary>
/// <param name="Passes">Forward passes that read guesses.</param>
/// <param name="Drafted">Tokens guessed.</param>
/// <param name="Accepted">Those of them that were chosen, and so needed no pass of their own.</param>
public readonly record struct DraftCounts(int Passes, int Drafted, int Accepted)
{
    /// <summary>Accepted tokens among those guessed, from 0 to 1; 0 where none was guessed.</summary>
    public double AcceptanceRate => Drafted == 0 ? 0 : (double)Accepted / Drafted;
}
