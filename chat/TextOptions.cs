using System.Security.Cryptography;
using Pure.Engine;
using Pure.Engine.Generation;

namespace Pure.Chat;

/// <summary>What to write, how to choose it and when to stop. The defaults of the choice are llama.cpp's.</summary>
public sealed record TextOptions
{
    /// <summary>Most tokens to write; <see langword="null"/> writes until the text or the context ends.</summary>
    public int? MaxTokens { get; init; }

    /// <inheritdoc cref="SamplingOptions.Temperature"/>
    public float Temperature { get; init; } = 0.8f;

    /// <inheritdoc cref="SamplingOptions.TopK"/>
    public int TopK { get; init; } = 40;

    /// <inheritdoc cref="SamplingOptions.TopP"/>
    public float TopP { get; init; } = 0.95f;

    /// <inheritdoc cref="SamplingOptions.MinP"/>
    public float MinP { get; init; } = 0.05f;

    /// <inheritdoc cref="SamplingOptions.RepetitionPenalty"/>
    public float RepetitionPenalty { get; init; } = 1;

    /// <inheritdoc cref="SamplingOptions.PresencePenalty"/>
    public float PresencePenalty { get; init; }

    /// <inheritdoc cref="SamplingOptions.FrequencyPenalty"/>
    public float FrequencyPenalty { get; init; }

    /// <inheritdoc cref="SamplingOptions.PenaltyWindow"/>
    public int PenaltyWindow { get; init; } = 64;

    /// <inheritdoc cref="SamplingOptions.LogitBias"/>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>Makes the choice repeatable; <see langword="null"/> takes a new one, which <see cref="TextCompletion.Seed"/> tells.</summary>
    public ulong? Seed { get; init; }

    /// <inheritdoc cref="SamplingOptions.TopLogProbabilities"/>
    public int? TopLogProbabilities { get; init; }

    /// <summary>Texts that end the writing where they appear, however tokens cut them; they are not part of it.</summary>
    public IReadOnlyCollection<string> Stop { get; init; } = [];

    /// <summary>Further token ids that end the text, besides the vocabulary's own.</summary>
    public IReadOnlyCollection<int> StopTokens { get; init; } = [];

    /// <summary>Writes on after the vocabulary's end tokens, as measurements of speed need it.</summary>
    public bool IgnoreEndOfText { get; init; }

    /// <summary>
    /// Whether names of special tokens in the prompt, such as <c>&lt;|user|&gt;</c>, stand for these tokens. Switch it off for text of
    /// unknown origin: it could forge turns.
    /// </summary>
    public bool ParseSpecial { get; init; } = true;

    /// <summary>
    /// Most tokens of prompt and text together; <see langword="null"/> takes what the prompt and <see cref="MaxTokens"/> need, up to
    /// all the model was trained for. A <see cref="TextSession"/> has its own.
    /// </summary>
    public int? ContextLength { get; init; }

    /// <inheritdoc cref="GenerationOptions.PromptChunk"/>
    public int? PromptChunk { get; init; }

    /// <inheritdoc cref="GenerationOptions.LogitsObserver"/>
    public LogitsObserver? LogitsObserver { get; init; }

    /// <summary>32 bits, which are easily written down and typed again.</summary>
    internal ulong ChooseSeed() => Seed ?? (uint)RandomNumberGenerator.GetInt32(int.MinValue, int.MaxValue);

    internal GenerationOptions ForEngine(ulong seed, IReadOnlyCollection<int> endTokens) => new()
    {
        MaxTokens = MaxTokens,
        Sampling = new SamplingOptions
        {
            Temperature = Temperature,
            TopK = TopK,
            TopP = TopP,
            MinP = MinP,
            RepetitionPenalty = RepetitionPenalty,
            PresencePenalty = PresencePenalty,
            FrequencyPenalty = FrequencyPenalty,
            PenaltyWindow = PenaltyWindow,
            LogitBias = LogitBias,
            Seed = seed,
            TopLogProbabilities = TopLogProbabilities,
        },
        StopTokens = IgnoreEndOfText ? StopTokens : [.. endTokens, .. StopTokens],
        PromptChunk = PromptChunk,
        LogitsObserver = LogitsObserver,
    };
}
