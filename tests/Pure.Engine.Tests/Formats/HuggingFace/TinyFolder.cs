using System.Text;
using Pure.Engine.Tests.Formats.Safetensors;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>The smallest folders that load: one layer of 32 columns, a vocabulary of 8.</summary>
internal static class TinyFolder
{
    public const string LlamaConfig = """
        {"architectures": ["LlamaForCausalLM"], "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
         "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 8, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
         "rope_theta": 10000.0, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 32}, "tie_word_embeddings": true, "hidden_act": "silu"}
        """;

    public const string MixtralConfig = """
        {"architectures": ["MixtralForCausalLM"], "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
         "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 8, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
         "num_local_experts": 2, "num_experts_per_tok": 1, "tie_word_embeddings": true, "sliding_window": 8}
        """;

    public const string GptqConfig = """
        {"architectures": ["LlamaForCausalLM"], "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
         "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 8, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
         "tie_word_embeddings": true, "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 16, "desc_act": true}}
        """;

    public const string Fp8Config = """
        {"architectures": ["LlamaForCausalLM"], "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
         "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 8, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
         "tie_word_embeddings": true, "quantization_config": {"quant_method": "fp8", "weight_block_size": [16, 16]}}
        """;

    public static SafetensorsBuilder Llama() => FeedForward(Attention(new SafetensorsBuilder()));

    public static SafetensorsBuilder Mixtral()
    {
        SafetensorsBuilder builder = Attention(new SafetensorsBuilder()).Floats("model.layers.0.block_sparse_moe.gate.weight", 2, 32);
        for (int expert = 0; expert < 2; expert++)
        {
            foreach (string part in new[] { "w1", "w2", "w3" })
                builder.Floats($"model.layers.0.block_sparse_moe.experts.{expert}.{part}.weight", 32, 32);
        }

        return builder;
    }

    /// <summary>GPTQ in the down projection, the rest in floats.</summary>
    public static SafetensorsBuilder Gptq(byte[]? order = null, byte[]? scales = null) => Attention(new SafetensorsBuilder())
        .Floats("model.layers.0.mlp.gate_proj.weight", 32, 32)
        .Floats("model.layers.0.mlp.up_proj.weight", 32, 32)
        .Tensor("model.layers.0.mlp.down_proj.qweight", "I32", [4, 32], [.. Enumerable.Range(0, 512).Select(i => (byte)i)])
        .Tensor("model.layers.0.mlp.down_proj.qzeros", "I32", [2, 4], [.. Enumerable.Repeat((byte)0x77, 32)])
        .Tensor("model.layers.0.mlp.down_proj.scales", "F16", [2, 32], scales ?? [.. Enumerable.Repeat((byte)0x14, 128)])
        .Tensor("model.layers.0.mlp.down_proj.g_idx", "I32", [32], order ?? [.. Enumerable.Range(0, 32).SelectMany(i => BitConverter.GetBytes(i % 2))]);

    /// <summary>FP8 in the down projection, the rest in floats.</summary>
    public static SafetensorsBuilder Fp8(float scale = 0.5f) => Attention(new SafetensorsBuilder())
        .Floats("model.layers.0.mlp.gate_proj.weight", 32, 32)
        .Floats("model.layers.0.mlp.up_proj.weight", 32, 32)
        .Tensor("model.layers.0.mlp.down_proj.weight", "F8_E4M3", [32, 32], [.. Enumerable.Range(0, 1024).Select(i => (byte)(i % 64))])
        .Tensor("model.layers.0.mlp.down_proj.weight_scale_inv", "F32", [2, 2], [.. Enumerable.Repeat(BitConverter.GetBytes(scale), 4).SelectMany(b => b)]);

    /// <summary>Writes a folder's files and answers its path.</summary>
    public static string Write(TemporaryFolder folder, string config, SafetensorsBuilder weights)
    {
        folder.Write("config.json", Encoding.UTF8.GetBytes(config));
        folder.Write("model.safetensors", weights.Build());
        return folder.Path;
    }

    private static SafetensorsBuilder Attention(SafetensorsBuilder builder) => builder
        .Floats("model.embed_tokens.weight", 8, 32)
        .Floats("model.norm.weight", 32)
        .Floats("model.layers.0.input_layernorm.weight", 32)
        .Floats("model.layers.0.post_attention_layernorm.weight", 32)
        .Floats("model.layers.0.self_attn.q_proj.weight", 32, 32)
        .Floats("model.layers.0.self_attn.k_proj.weight", 16, 32)
        .Floats("model.layers.0.self_attn.v_proj.weight", 16, 32)
        .Floats("model.layers.0.self_attn.o_proj.weight", 32, 32);

    private static SafetensorsBuilder FeedForward(SafetensorsBuilder builder) => builder
        .Floats("model.layers.0.mlp.gate_proj.weight", 32, 32)
        .Floats("model.layers.0.mlp.up_proj.weight", 32, 32)
        .Floats("model.layers.0.mlp.down_proj.weight", 32, 32);
}
