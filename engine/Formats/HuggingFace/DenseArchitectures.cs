namespace Pure.Engine.Formats.HuggingFace;

/// <summary>Decoders whose layers have one feed-forward network.</summary>
internal static class DenseArchitectures
{
    /// <summary>Outside the feed-forward part, which most architectures name alike.</summary>
    internal const string Decoder = """
        model.embed_tokens                              token_embd
        model.layers.N.input_layernorm                  blk.N.attn_norm
        model.layers.N.self_attn.q_proj                 blk.N.attn_q
        model.layers.N.self_attn.k_proj                 blk.N.attn_k
        model.layers.N.self_attn.v_proj                 blk.N.attn_v
        model.layers.N.self_attn.o_proj                 blk.N.attn_output
        model.layers.N.self_attn.rotary_emb.inv_freq    -
        model.layers.N.post_attention_layernorm         blk.N.ffn_norm
        model.norm                                      output_norm
        lm_head                                         output
        """;

    internal const string QueryKeyNorms = """
        model.layers.N.self_attn.q_norm                 blk.N.attn_q_norm
        model.layers.N.self_attn.k_norm                 blk.N.attn_k_norm
        """;

    internal const string FeedForward = """
        model.layers.N.mlp.gate_proj                    blk.N.ffn_gate
        model.layers.N.mlp.up_proj                      blk.N.ffn_up
        model.layers.N.mlp.down_proj                    blk.N.ffn_down
        """;

    internal static Architecture Llama { get; } = new("llama", DescribeLlama, new TensorNames(Decoder, FeedForward));

    internal static Architecture Qwen2 { get; } = new("qwen2", DescribeQwen, new TensorNames(Decoder, FeedForward));

    internal static Architecture Qwen3 { get; } = new("qwen3", DescribeQwen, new TensorNames(Decoder, QueryKeyNorms, FeedForward));

    /// <summary>Rows of q and k are for halves here; GGUF files of this family have them permuted for adjacent pairs.</summary>
    internal static void DescribeLlama(JsonFile config, Keys keys)
    {
        CommonKeys.Set(config, keys);
        keys.Set("rope.pairing", "halves");
        keys.Set("attention.sliding_window", config.FindInteger("sliding_window"));
    }

    private static void DescribeQwen(JsonFile config, Keys keys)
    {
        CommonKeys.Set(config, keys);
        CommonKeys.RefuseWindow(config);
    }
}
