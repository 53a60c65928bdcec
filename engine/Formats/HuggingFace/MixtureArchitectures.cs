namespace Pure.Engine.Formats.HuggingFace;

/// <summary>Decoders whose layers have a mixture of experts, each stored by itself.</summary>
internal static class MixtureArchitectures
{
    internal const string Experts = """
        model.layers.N.mlp.gate                         blk.N.ffn_gate_inp
        model.layers.N.mlp.experts.E.gate_proj          blk.N.ffn_gate_exps
        model.layers.N.mlp.experts.E.up_proj            blk.N.ffn_up_exps
        model.layers.N.mlp.experts.E.down_proj          blk.N.ffn_down_exps
        """;

    private const string MixtralExperts = """
        model.layers.N.block_sparse_moe.gate            blk.N.ffn_gate_inp
        model.layers.N.block_sparse_moe.experts.E.w1    blk.N.ffn_gate_exps
        model.layers.N.block_sparse_moe.experts.E.w3    blk.N.ffn_up_exps
        model.layers.N.block_sparse_moe.experts.E.w2    blk.N.ffn_down_exps
        """;

    private const string Qwen2SharedExpert = """
        model.layers.N.mlp.shared_expert_gate.weight    blk.N.ffn_gate_inp_shexp.row
        model.layers.N.mlp.shared_expert.gate_proj      blk.N.ffn_gate_shexp
        model.layers.N.mlp.shared_expert.up_proj        blk.N.ffn_up_shexp
        model.layers.N.mlp.shared_expert.down_proj      blk.N.ffn_down_shexp
        """;

    private const string GraniteExperts = """
        model.layers.N.block_sparse_moe.router.layer    blk.N.ffn_gate_inp
        model.layers.N.block_sparse_moe.input_linear    blk.N.ffn_gate_exps | blk.N.ffn_up_exps
        model.layers.N.block_sparse_moe.output_linear   blk.N.ffn_down_exps
        model.layers.N.shared_mlp.input_linear          blk.N.ffn_gate_shexp | blk.N.ffn_up_shexp
        model.layers.N.shared_mlp.output_linear         blk.N.ffn_down_shexp
        """;

    internal static Architecture Mixtral { get; } =
        new("llama", DescribeMixtral, new TensorNames(DenseArchitectures.Decoder, MixtralExperts));

    internal static Architecture Qwen2Moe { get; } = new(
        "qwen2moe",
        DescribeQwen,
        new TensorNames(DenseArchitectures.Decoder, DenseArchitectures.FeedForward, Experts, Qwen2SharedExpert));

    internal static Architecture Qwen3Moe { get; } = new(
        "qwen3moe",
        DescribeQwen,
        new TensorNames(DenseArchitectures.Decoder, DenseArchitectures.QueryKeyNorms, DenseArchitectures.FeedForward, Experts));

    internal static Architecture Olmoe { get; } =
        new("olmoe", DescribeOlmoe, new TensorNames(DenseArchitectures.Decoder, DenseArchitectures.QueryKeyNorms, Experts));

    internal static Architecture GraniteMoe { get; } =
        new("granitemoe", DescribeGranite, new TensorNames(DenseArchitectures.Decoder, GraniteExperts));

    private static void DescribeMixtral(JsonFile config, Keys keys)
    {
        DenseArchitectures.DescribeLlama(config, keys);
        CommonKeys.SetExperts(config, keys, "num_local_experts");
    }

    private static void DescribeQwen(JsonFile config, Keys keys)
    {
        CommonKeys.Set(config, keys);
        CommonKeys.SetExperts(config, keys, "num_experts");
        keys.Set("expert_feed_forward_length", config.Integer("moe_intermediate_size"));
        keys.Set("expert_shared_feed_forward_length", config.FindInteger("shared_expert_intermediate_size"));

        // Here the window, where switched on, is every layer's.
        if (config.FindFlag("use_sliding_window") == true)
            keys.Set("attention.sliding_window", config.FindInteger("sliding_window"));
    }

    private static void DescribeOlmoe(JsonFile config, Keys keys)
    {
        if (config.FindNumber("clip_qkv") is { } clip)
            throw config.Wrong("clip_qkv", clip, "null");
        CommonKeys.Set(config, keys);
        CommonKeys.SetExperts(config, keys, "num_experts");
    }

    /// <summary>Rows of q and k are for halves, as in LLaMA; GGUF files have them permuted.</summary>
    private static void DescribeGranite(JsonFile config, Keys keys)
    {
        CommonKeys.Set(config, keys);
        CommonKeys.SetExperts(config, keys, "num_local_experts");
        keys.Set("rope.pairing", "halves");
        keys.Set("expert_shared_feed_forward_length", config.FindInteger("shared_intermediate_size"));
        keys.Set("embedding_scale", config.FindNumber("embedding_multiplier"));
        keys.Set("attention.scale", config.FindNumber("attention_multiplier"));
        keys.Set("residual_scale", config.FindNumber("residual_multiplier"));
        keys.Set("logit_scale", config.FindNumber("logits_scaling"));
    }
}
