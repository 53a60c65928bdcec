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
            _ => throw reader.Wrong("rope.scaling.type", "none, linear or yarn", $"'{type}'"),
        };
    }

    private static RotaryScaling.Yarn ReadYarn(WeightReader reader, float factor)
    {
        int original = reader.Size("rope.scaling.original_context_length", reader.Size("context_length"));
        float attention = reader.Number("rope.scaling.attn_factor", 1);
        return new RotaryScaling.Yarn(
            factor,
            original,
            reader.Number("rope.scaling.yarn_beta_fast", 32),
            reader.Number("rope.scaling.yarn_beta_slow", 1),
            attention == 1 ? null : attention * RotaryScaling.Yarn.Mscale(factor, 0.1));
    }
}
