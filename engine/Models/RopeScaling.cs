using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>The <c>rope.scaling.*</c> keys of GGUF, which most families share, and what <see cref="RopeOptions"/> change of them.</summary>
internal static class RopeScaling
{
    internal static RotaryScaling Read(WeightReader reader)
    {
        RopeOptions asked = reader.Rope;
        string type = Type(reader);
        double factor = Factor(reader);
        if (asked is { Scaling: not null and not RopeScalingType.None, Factor: null, Context: null } && factor == 1)
            throw new InvalidRequestException($"Positions are to be stretched ({type}) and nothing says by how much; give a factor (--rope-scale N).");
        if (type != "yarn" && (asked.YarnBetaFast ?? asked.YarnBetaSlow ?? asked.YarnAttentionFactor) is not null)
            throw new InvalidRequestException($"Betas and an attention factor are YaRN's, and these positions are scaled otherwise ({type}); choose yarn or leave them out.");
        if (type is "none" or "linear" or "ntk" && asked is { ChangesScaling: false, OriginalContext: { } original })
        {
            throw new InvalidRequestException(
                $"An original context of {original} tokens was given, which this file's positions ({type}) do not depend on; leave it out or choose another scaling.");
        }

        return type switch
        {
            "none" => new RotaryScaling.None(),
            "linear" => new RotaryScaling.Linear(factor),
            "ntk" => new RotaryScaling.Ntk(factor),
            "dynamic" => new RotaryScaling.Dynamic(factor, OriginalContext(reader), ContextLength(reader)),
            "yarn" => ReadYarn(reader, factor),
            "llama3" => ReadLlama3(reader, factor),
            _ => throw reader.Wrong("rope.scaling.type", "none, linear, dynamic, yarn or llama3", $"'{type}'"),
        };
    }

    /// <summary>Factors of the file's tensor <c>rope_freqs.weight</c> <c>[pairs]</c>; null where it has none or others are asked for.</summary>
    internal static RotaryScaling.PerPair? ReadPerPair(WeightReader reader, int pairs)
    {
        if (!reader.Has("rope_freqs.weight"))
            return null;
        float[] factors = reader.Vector("rope_freqs.weight", pairs);
        if (reader.Rope is { Scaling: null, Factor: { } factor })
        {
            throw new InvalidRequestException(
                $"Positions are to be stretched by {factor}, but this file gives each frequency its own factor; say also which scaling (--rope-scaling).");
        }

        return reader.Rope.Scaling is null ? new RotaryScaling.PerPair(factors) : null;
    }

    /// <summary>Most positions of a sequence.</summary>
    internal static int ContextLength(WeightReader reader)
    {
        int stated = reader.Size("context_length");
        if (Type(reader) == "dynamic" && reader.Rope.Context is { } declared)
            return Math.Max(stated, declared);
        double stretched = OriginalContext(reader) * Factor(reader);
        return reader.Rope.ChangesScaling ? (int)Math.Clamp(stretched, 1, int.MaxValue / 2) : stated;
    }

    /// <summary>The file's magnitude, which is that of the file's own factor: of no use with another.</summary>
    internal static double FixedMagnitude(WeightReader reader, float otherwise) =>
        reader.Rope.ChangesScaling || reader.Rope.YarnAttentionFactor is not null ? otherwise : reader.Number("rope.scaling.magnitude", otherwise);

    private static string Type(WeightReader reader)
    {
        if (reader.Rope.Scaling is { } asked)
            return $"{asked}".ToLowerInvariant();
        string? type = reader.Text("rope.scaling.type");
        bool isNone = reader.Rope.Factor is null ? type is null : type is null or "none";
        return isNone ? (Factor(reader) == 1 ? "none" : "linear") : type!;
    }

    // "rope.scale_linear" is the key of files from before scaling had types.
    private static double Factor(WeightReader reader)
    {
        if (reader.Rope.Factor is { } asked)
            return asked;
        if (reader.Rope.Scaling == RopeScalingType.None)
            return 1;
        float factor = reader.Number("rope.scaling.factor", reader.Number("rope.scale_linear", 1));
        return factor > 0 ? factor : throw reader.Wrong("rope.scaling.factor", "a number above 0", factor);
    }

    private static int OriginalContext(WeightReader reader) =>
        reader.Rope.OriginalContext ?? reader.Size("rope.scaling.original_context_length", reader.Size("context_length"));

    private static RotaryScaling.Llama3 ReadLlama3(WeightReader reader, double factor)
    {
        bool isAsked = reader.Rope.Scaling is not null;
        float low = isAsked ? reader.Number("rope.scaling.low_freq_factor", 1) : reader.Number("rope.scaling.low_freq_factor");
        float high = isAsked ? reader.Number("rope.scaling.high_freq_factor", 4) : reader.Number("rope.scaling.high_freq_factor");
        if (!(low > 0 && high > low))
            throw reader.Wrong("rope.scaling.high_freq_factor", $"a number above the low_freq_factor of {low}, which is above 0", high);
        int original = isAsked ? OriginalContext(reader) : reader.Rope.OriginalContext ?? reader.Size("rope.scaling.original_context_length");
        return new RotaryScaling.Llama3(factor, original, low, high);
    }

    private static RotaryScaling.Yarn ReadYarn(WeightReader reader, double factor)
    {
        RopeOptions asked = reader.Rope;
        return new RotaryScaling.Yarn(
            factor,
            OriginalContext(reader),
            asked.YarnBetaFast ?? reader.Number("rope.scaling.yarn_beta_fast", 32),
            asked.YarnBetaSlow ?? reader.Number("rope.scaling.yarn_beta_slow", 1))
        {
            Truncate = reader.Flag("rope.scaling.yarn_truncate", otherwise: true),
            FixedMagnitude = FixedMagnitude(reader, 0) is not 0 and var magnitude ? magnitude : null,
            ExtraMagnitude = asked.YarnAttentionFactor ?? reader.Number("rope.scaling.attn_factor", 1),
        };
    }
}
