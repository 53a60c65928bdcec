using System.CommandLine;
using Pure.Engine.Models;

namespace Pure.Serve.CommandLine;

/// <summary>The options that stretch rotary positions beyond the context a model was trained on, by llama.cpp's names.</summary>
internal sealed class RopeChoice
{
    private readonly Option<RopeScalingType?> _scaling = ValueOptions.Choice(
        "--rope-scaling",
        "How to stretch positions: none, linear, ntk, dynamic (for texts of -c N tokens), yarn or llama3. Each gives its own bits. "
        + "Default: as the file says; linear where it says nothing and --rope-scale is given.",
        ("none", RopeScalingType.None), ("linear", RopeScalingType.Linear), ("ntk", RopeScalingType.Ntk),
        ("dynamic", RopeScalingType.Dynamic), ("yarn", RopeScalingType.Yarn), ("llama3", RopeScalingType.Llama3));

    private readonly Option<double?> _factor = Positive("--rope-scale", "N", "Stretch by this factor: the context is N times the original one.");
    private readonly Option<double?> _inverse = Positive("--rope-freq-scale", "N", "The same as --rope-scale 1/N.");

    private readonly Option<double?> _base = ValueOptions.OptionalNumber<double>(
        "--rope-freq-base", [], "N", "Base of the frequencies. Default: the file's.", "above 1", value => value > 1 && double.IsFinite(value));

    private readonly Option<int?> _original = ValueOptions.OptionalNumber<int>(
        "--yarn-orig-ctx", [], "N", "Context the model was trained on, before any stretching. Default: the file's.", "from 1 up", value => value > 0);

    private readonly Option<double?> _attention = Positive("--yarn-attn-factor", "N", "YaRN: factor on top of its sharpening of attention. Default: 1.");
    private readonly Option<double?> _slow = Positive("--yarn-beta-slow", "N", "YaRN: slower frequencies are divided by the factor. Default: 1.");
    private readonly Option<double?> _fast = Positive("--yarn-beta-fast", "N", "YaRN: faster frequencies are kept. Default: 32.");

    internal RopeChoice()
    {
        _scaling.HelpName = "WAY";
        Group = new OptionGroup("Positions, for contexts beyond the model's own", [_scaling, _factor, _inverse, _base, _original, _attention, _slow, _fast]);
    }

    /// <summary>The options, for help and parsing.</summary>
    internal OptionGroup Group { get; }

    /// <summary>What the command line says; <paramref name="context"/> is the declared length of texts, where there is one.</summary>
    /// <exception cref="UsageException">The factor is given twice.</exception>
    internal RopeOptions Read(ParseResult parsed, int? context)
    {
        double? factor = parsed.GetValue(_factor);
        double? inverse = parsed.GetValue(_inverse);
        if (factor is not null && inverse is not null)
            throw new UsageException("--rope-scale and --rope-freq-scale are both given; give one of them, the other is 1 over it.");
        return new RopeOptions
        {
            Scaling = parsed.GetValue(_scaling),
            Factor = factor ?? (1 / inverse),
            FrequencyBase = parsed.GetValue(_base),
            OriginalContext = parsed.GetValue(_original),
            YarnAttentionFactor = parsed.GetValue(_attention),
            YarnBetaSlow = parsed.GetValue(_slow),
            YarnBetaFast = parsed.GetValue(_fast),
            Context = context,
        };
    }

    private static Option<double?> Positive(string name, string helpName, string description) => ValueOptions.OptionalNumber<double>(
        name, [], helpName, description, "above 0", value => value > 0 && double.IsFinite(value));
}
