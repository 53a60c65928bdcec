using System.Security.Cryptography;
using Pure.Engine;
using Pure.Engine.Generation;
using Pure.Engine.Generation.Grammars;
using Pure.Engine.Models;

namespace Pure.Chat;

/// <summary>
/// What to write, how to choose it and when to stop. A choice that is <see langword="null"/> is the model's own
/// (<see cref="LanguageModel.Defaults"/>), or where the model has none, llama.cpp's.
/// </summary>
public sealed record TextOptions
{
    /// <summary>Most tokens to write; <see langword="null"/> writes until the text or the context ends.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>
    /// Divides the logits before the draw; 0 takes the largest logit and draws nothing. <see langword="null"/>: the model's own, or 0.8.
    /// </summary>
    public float? Temperature { get; init; }

    /// <summary>Keeps the k largest logits; 0 keeps all. <see langword="null"/>: the model's own, or 40.</summary>
    public int? TopK { get; init; }

    /// <summary>
    /// Keeps the fewest most probable tokens whose probabilities reach this sum; 1 keeps all. <see langword="null"/>: the model's own,
    /// or 0.95.
    /// </summary>
    public float? TopP { get; init; }

    /// <summary>
    /// Keeps tokens at least this fraction as probable as the most probable one; 0 keeps all. <see langword="null"/>: the model's own,
    /// or 0.05.
    /// </summary>
    public float? MinP { get; init; }

    /// <summary>
    /// Divides positive and multiplies negative logits of tokens in the window; 1 changes nothing. <see langword="null"/>: the model's
    /// own, or 1.
    /// </summary>
    public float? RepetitionPenalty { get; init; }

    /// <inheritdoc cref="SamplingOptions.PresencePenalty"/>
    public float PresencePenalty { get; init; }

    /// <inheritdoc cref="SamplingOptions.FrequencyPenalty"/>
    public float FrequencyPenalty { get; init; }

    /// <summary>
    /// How many of the last tokens, prompt included, the penalties look at; 0 switches them off. <see langword="null"/>: the model's
    /// own, or 64.
    /// </summary>
    public int? PenaltyWindow { get; init; }

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

    /// <summary>
    /// What the text must be, such as <see cref="Grammar.FromJsonSchema(string)"/>; <see langword="null"/> leaves it free. A text that the model ends
    /// is one of the grammar's; one that a limit or a stop string cuts off is the beginning of one. Make it once for many texts.
    /// </summary>
    public Grammar? Grammar { get; init; }

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

    /// <inheritdoc cref="GenerationOptions.ShiftKeep"/>
    public int? ShiftKeep { get; init; }

    /// <inheritdoc cref="GenerationOptions.Speculation"/>
    public Speculation Speculation { get; init; }

    /// <summary>The model that guesses, where <see cref="Speculation"/> says so; <see cref="LanguageModel.LoadDraft"/> opens one.</summary>
    public Model? DraftModel { get; init; }

    /// <inheritdoc cref="GenerationOptions.DraftTokens"/>
    public int DraftTokens { get; init; } = 8;

    /// <inheritdoc cref="GenerationOptions.LogitsObserver"/>
    public LogitsObserver? LogitsObserver { get; init; }

    /// <summary>32 bits, which are easily written down and typed again.</summary>
    internal ulong ChooseSeed() => Seed ?? (uint)RandomNumberGenerator.GetInt32(int.MinValue, int.MaxValue);

    internal GenerationOptions ForEngine(
        ulong seed, SamplingDefaults model, IReadOnlyCollection<int> endTokens, Func<Grammar, TokenGrammar> bind) => new()
        {
            MaxTokens = MaxTokens,
            Sampling = Choice(model, new SamplingOptions { Seed = seed }),
            StopTokens = IgnoreEndOfText ? StopTokens : [.. endTokens, .. StopTokens],
            Grammar = Grammar is null ? null : bind(Grammar),
            PromptChunk = PromptChunk,
            ShiftKeep = ShiftKeep,
            Speculation = Speculation,
            DraftModel = DraftModel,
            DraftTokens = DraftTokens,
            LogitsObserver = LogitsObserver,
        };

    private SamplingOptions Choice(SamplingDefaults model, SamplingOptions standard) => standard with
    {
        Temperature = Temperature ?? model.Temperature ?? standard.Temperature,
        TopK = TopK ?? model.TopK ?? standard.TopK,
        TopP = TopP ?? model.TopP ?? standard.TopP,
        MinP = MinP ?? model.MinP ?? standard.MinP,
        RepetitionPenalty = RepetitionPenalty ?? model.RepetitionPenalty ?? standard.RepetitionPenalty,
        PresencePenalty = PresencePenalty,
        FrequencyPenalty = FrequencyPenalty,
        PenaltyWindow = PenaltyWindow ?? model.PenaltyWindow ?? standard.PenaltyWindow,
        LogitBias = LogitBias,
        TopLogProbabilities = TopLogProbabilities,
    };
}
