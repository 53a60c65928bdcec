using System.Text;

namespace Pure.Engine.Formats.HuggingFace;

/// <summary>Decoders in which some layers see a window of positions and others all.</summary>
internal static class WindowedArchitectures
{
    private const string GptOssTensors = """
        model.embed_tokens                              token_embd
        model.layers.N.input_layernorm                  blk.N.attn_norm
        model.layers.N.self_attn.q_proj                 blk.N.attn_q
        model.layers.N.self_attn.k_proj                 blk.N.attn_k
        model.layers.N.self_attn.v_proj                 blk.N.attn_v
        model.layers.N.self_attn.o_proj                 blk.N.attn_output
        model.layers.N.self_attn.sinks                  blk.N.attn_sinks.weight
        model.layers.N.post_attention_layernorm         blk.N.post_attention_norm
        model.layers.N.mlp.router                       blk.N.ffn_gate_inp
        model.layers.N.mlp.experts.gate_up_proj         blk.N.ffn_gate_exps & blk.N.ffn_up_exps.columns
        model.layers.N.mlp.experts.gate_up_proj_blocks  blk.N.ffn_gate_exps & blk.N.ffn_up_exps.mxfp4_blocks
        model.layers.N.mlp.experts.gate_up_proj_scales  blk.N.ffn_gate_exps & blk.N.ffn_up_exps.mxfp4_scales
        model.layers.N.mlp.experts.gate_up_proj_bias    blk.N.ffn_gate_exps & blk.N.ffn_up_exps.bias
        model.layers.N.mlp.experts.down_proj            blk.N.ffn_down_exps.columns
        model.layers.N.mlp.experts.down_proj_blocks     blk.N.ffn_down_exps.mxfp4_blocks
        model.layers.N.mlp.experts.down_proj_scales     blk.N.ffn_down_exps.mxfp4_scales
        model.layers.N.mlp.experts.down_proj_bias       blk.N.ffn_down_exps.bias
        model.norm                                      output_norm
        lm_head                                         output
        """;

    private const string Gemma3Tensors = """
        model.embed_tokens                                token_embd
        model.layers.N.input_layernorm.weight             blk.N.attn_norm.less_one
        model.layers.N.self_attn.q_proj                   blk.N.attn_q
        model.layers.N.self_attn.k_proj                   blk.N.attn_k
        model.layers.N.self_attn.v_proj                   blk.N.attn_v
        model.layers.N.self_attn.o_proj                   blk.N.attn_output
        model.layers.N.self_attn.q_norm.weight            blk.N.attn_q_norm.less_one
        model.layers.N.self_attn.k_norm.weight            blk.N.attn_k_norm.less_one
        model.layers.N.post_attention_layernorm.weight    blk.N.post_attention_norm.less_one
        model.layers.N.pre_feedforward_layernorm.weight   blk.N.ffn_norm.less_one
        model.layers.N.mlp.gate_proj                      blk.N.ffn_gate
        model.layers.N.mlp.up_proj                        blk.N.ffn_up
        model.layers.N.mlp.down_proj                      blk.N.ffn_down
        model.layers.N.post_feedforward_layernorm.weight  blk.N.post_ffw_norm.less_one
        model.norm.weight                                 output_norm.less_one
        lm_head                                           output
        """;

    internal static Architecture GptOss { get; } = new("gpt-oss", DescribeGptOss, new TensorNames(GptOssTensors));

    /// <summary>The 4B model's configuration says only what its class does not.</summary>
    private const string Gemma3Defaults = """
        {"vocab_size": 262208, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26, "num_attention_heads": 8,
         "num_key_value_heads": 4, "head_dim": 256, "max_position_embeddings": 131072, "rms_norm_eps": 1e-6, "sliding_window": 4096,
         "rope_theta": 1000000, "query_pre_attn_scalar": 256, "tie_word_embeddings": true}
        """;

    internal static Architecture Gemma3 { get; } = new("gemma3", DescribeGemma3, new TensorNames(Gemma3Tensors))
    {
        Defaults = JsonFile.Parse(Encoding.UTF8.GetBytes(Gemma3Defaults), "Gemma 3"),
        MaySee = true,
    };

    private static void DescribeGptOss(JsonFile config, Keys keys)
    {
        CommonKeys.Set(config, keys);
        CommonKeys.SetExperts(config, keys, "num_local_experts");
        keys.Set("expert_feed_forward_length", config.Integer("intermediate_size"));
        keys.Set("attention.sliding_window", config.Integer("sliding_window"));
        RequirePattern(config, layer => layer % 2 == 0, "alternating layers, the first with a window");
    }

    private static void DescribeGemma3(JsonFile config, Keys keys)
    {
        if (config.FindText("hidden_activation") is { } activation and not "gelu_pytorch_tanh")
            throw config.Wrong("hidden_activation", FileText.Quote(activation), "'gelu_pytorch_tanh'");
        if (config.FindNumber("final_logit_softcapping") is { } cap)
            throw config.Wrong("final_logit_softcapping", cap, "null");
        if (config.FindNumber("attn_logit_softcapping") is { } scoreCap)
            throw config.Wrong("attn_logit_softcapping", scoreCap, "null");
        CommonKeys.Set(config, keys);
        keys.Set("attention.sliding_window", config.Integer("sliding_window"));
        keys.Set(
            "rope.freq_base_swa",
            config.FindObject("rope_parameters")?.FindObject("sliding_attention")?.FindNumber("rope_theta")
                ?? config.FindNumber("rope_local_base_freq"));
        double scalar = config.Number("query_pre_attn_scalar");
        if (scalar <= 0)
            throw config.Wrong("query_pre_attn_scalar", scalar, "a number above 0");
        keys.Set("attention.scale", 1 / Math.Sqrt(scalar));
        long pattern = config.FindInteger("sliding_window_pattern") ?? config.FindInteger("_sliding_window_pattern") ?? 6;
        if (pattern < 1)
            throw config.Wrong("sliding_window_pattern", pattern, "a number above 0");
        keys.Set("attention.sliding_window_pattern", pattern);
        RequirePattern(config, layer => (layer + 1) % pattern != 0, $"every layer with a window but each {pattern}th");
    }

    /// <summary>Newer configurations list each layer's kind: it must be what the family knows.</summary>
    private static void RequirePattern(JsonFile config, Func<long, bool> hasWindow, string expected)
    {
        string[]? types = config.FindTexts("layer_types");
        for (int layer = 0; layer < types?.Length; layer++)
        {
            if (types[layer] != (hasWindow(layer) ? "sliding_attention" : "full_attention"))
                throw config.Wrong("layer_types", $"{FileText.Quote(types[layer])} in layer {layer}", expected);
        }
    }
}
