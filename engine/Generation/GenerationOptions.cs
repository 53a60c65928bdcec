using Pure.Engine.Generation.Grammars;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>Receives the model's logits of each sampled position, before bias and penalties.</summary>
/// <param name="position">Position of the token to be chosen.</param>
/// <param name="logits"><c>[vocabulary]</c>; valid during the call.</param>
public delegate void LogitsObserver(int position, ReadOnlySpan<float> logits);

/// <summary>What to generate, and when to stop.</summary>
public sealed record GenerationOptions
{
    /// <summary>Most tokens to write; <see langword="null"/> writes until an end token or the end of the context.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>
    /// Ids that end the text. The one that was sampled is not in the stream, but stays in the session. The engine knows no such
    /// ids by itself: with none here, writing goes on.
    /// </summary>
    public IReadOnlyCollection<int> StopTokens { get; init; } = [];

    /// <summary>
    /// What the text must be; <see langword="null"/> leaves it free. Tokens that lead out of the grammar are not chosen, and the
    /// <see cref="StopTokens"/>, of which there must be one, exactly where the text may end: whatever ends so is one of the grammar's texts.
    /// </summary>
    public TokenGrammar? Grammar { get; init; }

    /// <summary>
    /// Most prompt tokens in one forward pass; <see langword="null"/> takes as many as the model's batches hold. The result does
    /// not depend on it.
    /// </summary>
    public int? PromptChunk { get; init; }

    /// <summary>
    /// <see langword="null"/> ends the text when the context is full. Otherwise the session then drops the older half of its tokens after
    /// this many first ones (-1: after the prompt), reads what follows again and goes on. What is written then is what would be
    /// written after the tokens that are left. It costs about one token of reading per token written.
    /// </summary>
    public int? ShiftKeep { get; init; }

    /// <summary>Whether several tokens may be computed at once, by guessing. The result does not depend on it.</summary>
    public Speculation Speculation { get; init; }

    /// <summary>
    /// The model that guesses, where <see cref="Speculation"/> says so; it must outlive the generation and may be shared by many, and
    /// its vocabulary must be the same.
    /// </summary>
    public Model? DraftModel { get; init; }

    /// <summary>Most tokens to guess at a time. A rejected guess costs its part of a forward pass and nothing else.</summary>
    public int DraftTokens { get; init; } = 8;

    /// <summary>Sees the logits of each sampled position; called on the computing thread while the model is held.</summary>
    public LogitsObserver? LogitsObserver { get; init; }
}

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>One of <see cref="GenerationOptions.StopTokens"/> was sampled.</summary>
    EndToken,

    /// <summary><see cref="GenerationOptions.MaxTokens"/> were written.</summary>
    MaxTokens,

    /// <summary>The context holds no further token.</summary>
    ContextFull,

    /// <summary>The caller cancelled it or stopped reading.</summary>
    Cancelled,
}

/// <summary>What a generation did and how long it took; waiting for other users of the model included, the caller's time not.</summary>
/// <param name="PromptTokens">Tokens read before the first one was written.</param>
/// <param name="PromptTime">Time until the first token was chosen.</param>
/// <param name="GeneratedTokens">Tokens sampled, an end token included.</param>
/// <param name="GenerationTime">Time for all tokens after the first.</param>
public readonly record struct GenerationTimings(
    int PromptTokens, TimeSpan PromptTime, int GeneratedTokens, TimeSpan GenerationTime)
{
    /// <summary>Prompt tokens per second; 0 where there is nothing to measure.</summary>
    public double PromptTokensPerSecond => Rate(PromptTokens, PromptTime);

    /// <summary>Generated tokens per second, the first one not counted: the prompt's pass gave it. 0 where there is nothing to measure.</summary>
    public double TokensPerSecond => Rate(GeneratedTokens - 1, GenerationTime);

    private static double Rate(int tokens, TimeSpan time) => tokens > 0 && time > TimeSpan.Zero ? tokens / time.TotalSeconds : 0;
}
