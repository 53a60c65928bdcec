using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>The <c>rope.scaling.*</c> keys of GGUF, which most families share.</summary>
internal static class RopeScaling
{
    internal static RotaryScaling Read(WeightReader reader)
    {
        // "rope.scale_linear" is the key of files from before scaling had types.
        float factor = reader.Number("rope.scaling.factor", reader.Number("rope.scale_linear", 1));
        string type = reader.Text("rope.scaling.type") ?? (factor == 1 ? "none" : "linear");
        if (!(factor > 0))
            throw reader.Wrong("rope.scaling.factor", "a number above 0", factor);
        return type switch
        {
            "none" => new RotaryScaling.None(),
            "linear" => new RotaryScaling.Linear(factor),
            "yarn" => ReadYarn(reader, factor),
            "llama3" => ReadLlama3(reader, factor),
            _ => throw reader.Wrong("rope.scaling.type", "none, linear, yarn or llama3", $"'{type}'"),
        };
    }

    private static RotaryScaling.Llama3 ReadLlama3(WeightReader reader, float factor)
    {
        float low = reader.Number("rope.scaling.low_freq_factor");
        float high = reader.Number("rope.scaling.high_freq_factor");
        if (!(low > 0 && high > low))
            throw reader.Wrong("rope.scaling.high_freq_factor", $"a number above the low_freq_factor of {low}, which is above 0", high);
        return new RotaryScaling.Llama3(factor, reader.Size("rope.scaling.original_context_length"), low, high);
    }

    private static RotaryScaling.Yarn ReadYarn(WeightReader reader, float factor)
    {
        int original = reader.Size("rope.scaling.original_context_length", reader.Size("context_length"));
        return new RotaryScaling.Yarn(
            factor, original, reader.Number("rope.scaling.yarn_beta_fast", 32), reader.Number("rope.scaling.yarn_beta_slow", 1))
        {
            Truncate = reader.Flag("rope.scaling.yarn_truncate", otherwise: true),
            FixedMagnitude = reader.Number("rope.scaling.magnitude", 0) is not 0 and var magnitude ? magnitude : null,
            ExtraMagnitude = reader.Number("rope.scaling.attn_factor", 1),
        };
    }
}
