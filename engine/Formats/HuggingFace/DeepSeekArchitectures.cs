namespace Pure.Engine.Formats.HuggingFace;

/// <summary>DeepSeekMoE (V1), V2 and V3 with R1. Their own <c>modeling_deepseek.py</c> is the reference for what keys mean.</summary>
internal static class DeepSeekArchitectures
{
    /// <summary>Epsilon of the norms inside the attention: in the reference their class's default, whatever the configuration says.</summary>
    private const double LatentEpsilon = 1e-6;

    private const string LatentAttention = """
        model.embed_tokens                              token_embd
        model.layers.N.input_layernorm                  blk.N.attn_norm
        model.layers.N.self_attn.q_proj                 blk.N.attn_q
        model.layers.N.self_attn.q_a_proj               blk.N.attn_q_a
        model.layers.N.self_attn.q_a_layernorm          blk.N.attn_q_a_norm
        model.layers.N.self_attn.q_b_proj               blk.N.attn_q_b
        model.layers.N.self_attn.kv_a_proj_with_mqa     blk.N.attn_kv_a_mqa
        model.layers.N.self_attn.kv_a_layernorm         blk.N.attn_kv_a_norm
        model.layers.N.self_attn.kv_b_proj              blk.N.attn_kv_b
        model.layers.N.self_attn.o_proj                 blk.N.attn_output
        model.layers.N.self_attn.rotary_emb.inv_freq    -
        model.layers.N.post_attention_layernorm         blk.N.ffn_norm
        model.norm                                      output_norm
        lm_head                                         output
        """;

    private const string SharedExperts = """
        model.layers.N.mlp.gate.e_score_correction_bias blk.N.exp_probs_b.bias
        model.layers.N.mlp.shared_experts.gate_proj     blk.N.ffn_gate_shexp
        model.layers.N.mlp.shared_experts.up_proj       blk.N.ffn_up_shexp
        model.layers.N.mlp.shared_experts.down_proj     blk.N.ffn_down_shexp
        """;

    /// <summary>The layer for the token after the next holds these beside a layer's tensors.</summary>
    private const string NextTokens = """
        model.layers.N.eh_proj                          blk.N.nextn.eh_proj
        model.layers.N.enorm                            blk.N.nextn.enorm
        model.layers.N.hnorm                            blk.N.nextn.hnorm
        model.layers.N.embed_tokens                     blk.N.nextn.embed_tokens
        model.layers.N.shared_head.norm                 blk.N.nextn.shared_head_norm
        model.layers.N.shared_head.head                 blk.N.nextn.shared_head_head
        """;

    internal static Architecture V1 { get; } = new(
        "deepseek",
        DescribeV1,
        new TensorNames(DenseArchitectures.Decoder, DenseArchitectures.FeedForward, MixtureArchitectures.Experts, SharedExperts));

    internal static Architecture V2 { get; } = new("deepseek2", DescribeV2, LatentTensors());

    internal static Architecture V3 { get; } = new("deepseek2", DescribeV3, LatentTensors(NextTokens)) { HasPredictors = true };

    private static TensorNames LatentTensors(params ReadOnlySpan<string> more) =>
        new([LatentAttention, DenseArchitectures.FeedForward, MixtureArchitectures.Experts, SharedExperts, .. more]);

    /// <summary>Rows of q and k are for halves, as in LLaMA; GGUF files have them permuted.</summary>
    private static void DescribeV1(JsonFile config, Keys keys)
    {
        CommonKeys.Set(config, keys);
        keys.Set("rope.pairing", "halves");
        SetMixture(config, keys);
    }

    private static void DescribeV2(JsonFile config, Keys keys)
    {
        SetLatentAttention(config, keys);
        SetMixture(config, keys);

        // Without "group_limited_greedy" groups are numbers without effect.
        string method = config.FindText("topk_method") ?? "greedy";
        if (method is not ("greedy" or "group_limited_greedy"))
            throw config.Wrong("topk_method", FileText.Quote(method), "'greedy' or 'group_limited_greedy'");
        if (method == "group_limited_greedy")
            SetGroups(config, keys, "max");

        // Normalised weights are not scaled as well.
        bool normalised = config.FindFlag("norm_topk_prob") == true;
        keys.Set("expert_weights_scale", normalised ? 1.0 : config.FindNumber("routed_scaling_factor"));
    }

    private static void DescribeV3(JsonFile config, Keys keys)
    {
        SetLatentAttention(config, keys);
        SetMixture(config, keys);
        long predictors = config.FindInteger("num_nextn_predict_layers") ?? 0;
        keys.Set("nextn_predict_layers", predictors);
        keys.Set("block_count", config.Integer("num_hidden_layers") + predictors);
        if (config.FindText("topk_method") is { } method and not "noaux_tc")
            throw config.Wrong("topk_method", FileText.Quote(method), "'noaux_tc'");
        SetGroups(config, keys, "sum_of_two_best");
        keys.Set("expert_weights_scale", config.FindNumber("routed_scaling_factor"));
    }

    private static void SetLatentAttention(JsonFile config, Keys keys)
    {
        CommonKeys.SetSizes(config, keys);
        RopeKeys.Set(config, keys);
        long rope = config.Integer("qk_rope_head_dim");
        keys.Set("rope.dimension_count", rope);
        keys.Set("attention.kv_lora_rank", config.Integer("kv_lora_rank"));
        keys.Set("attention.q_lora_rank", config.FindInteger("q_lora_rank"));
        keys.Set("attention.key_length", SaturatingSum(config.Integer("qk_nope_head_dim"), rope));
        keys.Set("attention.value_length", config.Integer("v_head_dim"));
        keys.Set("attention.latent_norm_rms_epsilon", LatentEpsilon);

        // YaRN's magnitude goes onto the attention scale by mscale_all_dim, and only its ratio to mscale onto cosines and sines.
        if (config.FindObject("rope_scaling") is { } scaling)
        {
            double factor = scaling.FindNumber("factor") ?? 1;
            double all = scaling.FindNumber("mscale_all_dim") ?? 0;
            keys.Set("rope.scaling.magnitude", RopeKeys.Mscale(factor, scaling.FindNumber("mscale") ?? 1) / RopeKeys.Mscale(factor, all));
            keys.Set("rope.scaling.yarn_log_multiplier", 0.1 * all);
        }
    }

    private static void SetMixture(JsonFile config, Keys keys)
    {
        if (config.FindInteger("n_routed_experts") is null)
            throw config.Wrong("n_routed_experts", "null", "a number above 0");
        if (config.FindInteger("moe_layer_freq") is { } frequency and not 1)
            throw config.Wrong("moe_layer_freq", frequency, "1");
        CommonKeys.SetExperts(config, keys, "n_routed_experts");
        keys.Set("expert_feed_forward_length", config.Integer("moe_intermediate_size"));
        keys.Set("expert_shared_count", config.FindInteger("n_shared_experts"));
        keys.Set("leading_dense_block_count", config.FindInteger("first_k_dense_replace"));
        keys.Set("expert_gating_func", (config.FindText("scoring_func") ?? "softmax") switch
        {
            "softmax" => 1L,
            "sigmoid" => 2L,
            var other => throw config.Wrong("scoring_func", FileText.Quote(other), "'softmax' or 'sigmoid'"),
        });
    }

    private static void SetGroups(JsonFile config, Keys keys, string score)
    {
        keys.Set("expert_group_count", config.FindInteger("n_group"));
        keys.Set("expert_group_used_count", config.FindInteger("topk_group"));
        keys.Set("expert_group_score", score);
    }

    /// <summary>The sum of two numbers of a file, which may be any; what is too large is refused where the key is read.</summary>
    private static long SaturatingSum(long a, long b) => (long)Int128.Clamp((Int128)a + b, long.MinValue, long.MaxValue);
}
