namespace Pure.Engine.Formats.HuggingFace;

/// <summary>What almost every <c>config.json</c> says in the same words.</summary>
internal static class CommonKeys
{
    /// <summary>Sizes, heads, epsilon and positions of a decoder with grouped-query attention.</summary>
    internal static void Set(JsonFile config, Keys keys)
    {
        SetSizes(config, keys);
        SetHeads(config, keys);
        RopeKeys.Set(config, keys);
    }

    /// <summary>Sizes of the whole, and the activation, which must be SiLU.</summary>
    internal static void SetSizes(JsonFile config, Keys keys)
    {
        if (config.FindText("hidden_act") is { } activation and not "silu")
            throw config.Wrong("hidden_act", FileText.Quote(activation), "'silu'");
        keys.Set("context_length", config.Integer("max_position_embeddings"));
        keys.Set("embedding_length", config.Integer("hidden_size"));
        keys.Set("block_count", config.Integer("num_hidden_layers"));
        keys.Set("feed_forward_length", config.FindInteger("intermediate_size"));
        keys.Set("attention.head_count", config.Integer("num_attention_heads"));
        keys.Set("attention.layer_norm_rms_epsilon", config.Number("rms_norm_eps"));
    }

    /// <summary>Qwen's sliding window, which no published configuration switches on: a few of its layers would have it.</summary>
    internal static void RefuseWindow(JsonFile config)
    {
        if (config.FindFlag("use_sliding_window") == true)
            throw config.Wrong("use_sliding_window", "true", "false");
    }

    /// <summary>Routed experts. Families have defaults for what older files do not say.</summary>
    internal static void SetExperts(JsonFile config, Keys keys, string count)
    {
        keys.Set("expert_count", config.Integer(count));
        keys.Set("expert_used_count", config.Integer("num_experts_per_tok"));
        keys.Set("expert_weights_norm", config.FindFlag("norm_topk_prob"));
    }

    private static void SetHeads(JsonFile config, Keys keys)
    {
        long heads = config.Integer("num_attention_heads");
        if (heads < 1)
            throw config.Wrong("num_attention_heads", heads, "a number above 0");
        long headSize = config.FindInteger("head_dim") ?? config.Integer("hidden_size") / heads;
        keys.Set("attention.head_count_kv", config.FindInteger("num_key_value_heads") ?? heads);
        keys.Set("attention.key_length", headSize);
        keys.Set("attention.value_length", headSize);
        keys.Set("rope.dimension_count", headSize);
    }
}
