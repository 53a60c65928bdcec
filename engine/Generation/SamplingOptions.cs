using System.Globalization;

namespace Pure.Engine.Generation;

/// <summary>
/// How the next token is chosen from the logits. The steps follow one another as in llama.cpp's default chain: logit bias,
/// penalties, top-k, top-p, min-p, temperature, draw. The defaults are its defaults too.
/// </summary>
public sealed record SamplingOptions
{
    /// <summary>Always the most probable token.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Divides the logits before the draw; 0 takes the largest logit (ties: the lower id) and draws nothing.</summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>Keeps the k largest logits (ties: the lower id); 0 keeps all.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>
    /// Keeps the fewest most probable tokens whose probabilities, before temperature, reach this sum (Holtzman et al. 2019,
    /// arXiv:1904.09751, section 3.1); 1 keeps all.
    /// </summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>Keeps tokens at least this fraction as probable as the most probable one (arXiv:2407.01082); 0 keeps all.</summary>
    public float MinP { get; init; } = 0.05f;

    /// <summary>
    /// Divides positive and multiplies negative logits of tokens in the window (after Keskar et al. 2019, arXiv:1909.05858,
    /// section 4.1); 1 changes nothing.
    /// </summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted from the logit of each token in the window; 0 changes nothing.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted from a token's logit once for each time it stands in the window; 0 changes nothing.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>How many of the last tokens, prompt included, the penalties look at; 0 switches them off.</summary>
    public int PenaltyWindow { get; init; } = 64;

    /// <summary>
    /// Added to the logits of these ids, before anything else. Minus infinity bans a token, plus infinity leaves only the tokens
    /// that have it.
    /// </summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>Chooses the random numbers: a draw depends on the seed, the sequence and the token's position in it.</summary>
    public ulong Seed { get; init; }

    /// <summary>Tells apart the draws of several texts that share a seed, such as many continuations of one prompt.</summary>
    public ulong Sequence { get; init; }

    /// <summary>
    /// <see langword="null"/> reports no log-probabilities; a number reports that of the chosen token and of this many most
    /// probable ones. They are the model's own: the log-softmax of the logits before bias, penalties and temperature.
    /// </summary>
    public int? TopLogProbabilities { get; init; }

    internal bool HasPenalties =>
        PenaltyWindow > 0 && (RepetitionPenalty != 1 || PresencePenalty != 0 || FrequencyPenalty != 0);

    /// <exception cref="InvalidRequestException">A value is outside its range; the message names it.</exception>
    internal void Validate(int vocabulary)
    {
        Require(float.IsFinite(Temperature) && Temperature >= 0, "temperature", Temperature, "0 (greedy) or a positive number");
        Require(TopK >= 0, "top-k", TopK, "0 (all tokens) or a positive count");
        Require(TopP is > 0 and <= 1, "top-p", TopP, "above 0 and at most 1");
        Require(MinP is >= 0 and <= 1, "min-p", MinP, "from 0 to 1");
        Require(float.IsFinite(RepetitionPenalty) && RepetitionPenalty > 0, "repetition penalty", RepetitionPenalty, "a positive number; 1 is none");
        Require(float.IsFinite(PresencePenalty), "presence penalty", PresencePenalty, "a finite number; 0 is none");
        Require(float.IsFinite(FrequencyPenalty), "frequency penalty", FrequencyPenalty, "a finite number; 0 is none");
        Require(PenaltyWindow >= 0, "penalty window", PenaltyWindow, "0 (no penalties) or a positive count of tokens");
        Require(TopLogProbabilities is null || (TopLogProbabilities >= 0 && TopLogProbabilities <= vocabulary), "number of log-probabilities", TopLogProbabilities ?? 0, $"from 0 to the vocabulary's {vocabulary}");
        foreach ((int id, float bias) in LogitBias ?? new Dictionary<int, float>())
        {
            if ((uint)id >= (uint)vocabulary)
                throw new InvalidRequestException($"The logit bias names token {id}, but the vocabulary ends at {vocabulary - 1}.");
            Require(!float.IsNaN(bias), $"logit bias of token {id}", bias, "a number");
        }
    }

    private static void Require(bool holds, string name, double value, string expected)
    {
        if (!holds)
        {
            string found = value.ToString("R", CultureInfo.InvariantCulture);
            throw new InvalidRequestException($"The {name} is {found}; it must be {expected}.");
        }
    }
}
