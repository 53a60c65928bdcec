using Pure.Engine.Kernels;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>
/// Rotary positions. The parameters stand in <c>rope_theta</c> and <c>rope_scaling</c>, or together in <c>rope_parameters</c>
/// (transformers 5), for each kind of layer where kinds differ; the type is called <c>type</c> or <c>rope_type</c>.
/// </summary>
internal static class RopeKeys
{
    internal static void Set(JsonFile config, Keys keys)
    {
        JsonFile? scaling = Parameters(config) ?? config.FindObject("rope_scaling");
        keys.Set("rope.freq_base", scaling?.FindNumber("rope_theta") ?? config.FindNumber("rope_theta"));
        if (scaling is null)
            return;
        string type = scaling.FindText("rope_type") ?? scaling.FindText("type") ?? "default";
        switch (type)
        {
            case "default":
                break;
            case "linear" or "dynamic":
                keys.Set("rope.scaling.type", type);
                keys.Set("rope.scaling.factor", scaling.Number("factor"));
                break;
            case "yarn":
                SetYarn(config, scaling, keys);
                break;
            case "llama3":
                SetLlama3(config, scaling, keys);
                break;
            default:
                throw scaling.Wrong("rope_type", FileText.Quote(type), "default, linear, dynamic, yarn or llama3");
        }
    }

    /// <summary>weight · ln(factor) + 1 (YaRN, arXiv:2309.00071, equation 22).</summary>
    internal static double Mscale(double factor, double weight) => factor <= 1 ? 1 : (0.1 * weight * Elementary.Log(factor)) + 1;

    private static void SetYarn(JsonFile config, JsonFile scaling, Keys keys)
    {
        double factor = scaling.Number("factor");
        double mscale = scaling.FindNumber("mscale") ?? 0;
        double mscaleAll = scaling.FindNumber("mscale_all_dim") ?? 0;
        keys.Set("rope.scaling.type", "yarn");
        keys.Set("rope.scaling.factor", factor);
        keys.Set(
            "rope.scaling.original_context_length",
            scaling.FindInteger("original_max_position_embeddings") ?? config.Integer("max_position_embeddings"));
        keys.Set("rope.scaling.yarn_beta_fast", scaling.FindNumber("beta_fast"));
        keys.Set("rope.scaling.yarn_beta_slow", scaling.FindNumber("beta_slow"));
        keys.Set("rope.scaling.yarn_truncate", scaling.FindFlag("truncate"));
        keys.Set(
            "rope.scaling.magnitude",
            scaling.FindNumber("attention_factor")
                ?? (mscale != 0 && mscaleAll != 0 ? Mscale(factor, mscale) / Mscale(factor, mscaleAll) : Mscale(factor, 1)));
    }

    private static void SetLlama3(JsonFile config, JsonFile scaling, Keys keys)
    {
        keys.Set("rope.scaling.type", "llama3");
        keys.Set("rope.scaling.factor", scaling.Number("factor"));
        keys.Set("rope.scaling.low_freq_factor", scaling.Number("low_freq_factor"));
        keys.Set("rope.scaling.high_freq_factor", scaling.Number("high_freq_factor"));
        keys.Set(
            "rope.scaling.original_context_length",
            scaling.FindInteger("original_max_position_embeddings") ?? config.Integer("max_position_embeddings"));
    }

    /// <summary><c>rope_parameters</c>; where kinds of layers differ, those of layers that see everything.</summary>
    private static JsonFile? Parameters(JsonFile config) =>
        config.FindObject("rope_parameters") is { } all ? all.FindObject("full_attention") ?? all : null;
}
