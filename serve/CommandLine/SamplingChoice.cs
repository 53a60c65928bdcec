using System.CommandLine;
using Pure.Chat;

namespace Pure.Serve.CommandLine;

/// <summary>
/// The options that say how tokens are chosen. Where one is left out, the model's own say goes before the defaults here, which suit
/// children's stories.
/// </summary>
internal sealed class SamplingChoice
{
    /// <summary>A word about the defaults, for the help of commands with these options.</summary>
    internal const string Note =
        "The sampling defaults are for models that have none of their own: general.sampling keys in a GGUF file, generation_config.json "
        + "in a folder. pure info shows a model's own; options go before them.";

    private const float StandardTemperature = 0.7f;

    private readonly Option<float?> _temperature = ValueOptions.OptionalNumber<float>(
        "--temp", [], "T", "Temperature; 0 always takes the most probable token. Default: 0.7.", "from 0 up",
        temperature => temperature >= 0 && float.IsFinite(temperature));

    private readonly Option<int?> _topK = ValueOptions.OptionalNumber<int>(
        "--top-k", [], "N", "Choose among the N most probable tokens; 0 among all. Default: 40.", "from 0 up", count => count >= 0);

    private readonly Option<float?> _topP = ValueOptions.OptionalNumber<float>(
        "--top-p", [], "P", "Choose among the fewest tokens whose probabilities reach P; 1 among all. Default: 0.95.",
        "above 0 and at most 1", probability => probability is > 0 and <= 1);

    private readonly Option<float?> _minP = ValueOptions.OptionalNumber<float>(
        "--min-p", [], "P", "Choose among tokens at least P times as probable as the most probable one. Default: 0.05.",
        "from 0 to 1", probability => probability is >= 0 and <= 1);

    private readonly Option<float?> _repetition = ValueOptions.OptionalNumber<float>(
        "--repeat-penalty", [], "X", "Divide the logits of the last 64 tokens by X. Default: 1, no penalty.",
        "above 0", penalty => penalty > 0 && float.IsFinite(penalty));

    private readonly Option<float> _presence = ValueOptions.Number<float>(
        "--presence-penalty", [], "X", "Take X from the logits of the last 64 tokens. Default: 0.",
        "that is finite", float.IsFinite, 0);

    private readonly Option<float> _frequency = ValueOptions.Number<float>(
        "--frequency-penalty", [], "X", "Take X from the logits of the last 64 tokens for each time they stand there. Default: 0.",
        "that is finite", float.IsFinite, 0);

    private readonly Option<ulong?> _seed = ValueOptions.OptionalNumber<ulong>(
        "--seed", ["-s"], "N", "The same seed writes the same text again. Default: a new one each time, shown at the end.",
        "from 0 to 18446744073709551615", _ => true);

    internal SamplingChoice() =>
        Group = new OptionGroup("Sampling", [_temperature, _topK, _topP, _minP, _repetition, _presence, _frequency, _seed]);

    /// <summary>The options, for help and parsing.</summary>
    internal OptionGroup Group { get; }

    /// <summary>Options with this command's temperature where neither they nor the model have one.</summary>
    internal static TextOptions Settle(TextOptions options, LanguageModel model) =>
        options with { Temperature = options.Temperature ?? model.Defaults.Temperature ?? StandardTemperature };

    /// <summary>What the command line says.</summary>
    internal TextOptions Read(ParseResult parsed) => new()
    {
        Temperature = parsed.GetValue(_temperature),
        TopK = parsed.GetValue(_topK),
        TopP = parsed.GetValue(_topP),
        MinP = parsed.GetValue(_minP),
        RepetitionPenalty = parsed.GetValue(_repetition),
        PresencePenalty = parsed.GetValue(_presence),
        FrequencyPenalty = parsed.GetValue(_frequency),
        Seed = parsed.GetValue(_seed),
    };
}
