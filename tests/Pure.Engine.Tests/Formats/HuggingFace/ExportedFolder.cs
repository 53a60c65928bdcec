using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Pure.Engine.Formats;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Tests.Formats.Safetensors;

namespace Pure.Engine.Tests.Formats.HuggingFace;

/// <summary>
/// Writes the weights of a GGUF file of F32 as the folder that it would have been converted from: names and layouts as
/// <c>transformers</c> has them, written down here once more and apart from the tables that read them.
/// </summary>
internal static class ExportedFolder
{
    /// <param name="gguf">Path of the GGUF file.</param>
    /// <param name="folder">Gets the files.</param>
    /// <param name="architecture">Name of the class in <c>transformers</c>.</param>
    /// <param name="permuted">Whether the GGUF file has rows of q and k in the order for adjacent pairs.</param>
    /// <param name="more">What the configuration says besides sizes.</param>
    public static void Write(string gguf, TemporaryFolder folder, string architecture, bool permuted, string more)
    {
        using GgufFile file = GgufFile.Open(gguf);
        string family = file.Metadata.GetString("general.architecture");
        long heads = Size("attention.head_count");
        var config = (JsonObject)JsonNode.Parse(more)!;
        config["architectures"] = new JsonArray(architecture);
        config["hidden_size"] = Size("embedding_length");
        config["intermediate_size"] = Size("feed_forward_length");
        config["num_hidden_layers"] = Size("block_count");
        config["num_attention_heads"] = heads;
        config["num_key_value_heads"] = Size("attention.head_count_kv");
        config["max_position_embeddings"] = Size("context_length");
        config["rms_norm_eps"] = file.Metadata.GetNumber($"{family}.attention.layer_norm_rms_epsilon");
        config["rope_theta"] = file.Metadata.GetNumber($"{family}.rope.freq_base");
        config["vocab_size"] = Size("vocab_size");
        if (file.Metadata.FindInteger($"{family}.attention.key_length") is { } headSize)
            config["head_dim"] = headSize;

        var weights = new SafetensorsBuilder();
        foreach (Tensor tensor in file.Tensors.Where(tensor => tensor.Name != "rope_freqs.weight"))
            Add(weights, tensor, permuted ? heads : null, permuted ? Size("attention.head_count_kv") : null);
        folder.Write("config.json", Encoding.UTF8.GetBytes(config.ToJsonString()));
        folder.Write("model.safetensors", weights.Build());

        long Size(string key) => file.Metadata.GetInteger($"{family}.{key}");
    }

    private static void Add(SafetensorsBuilder weights, Tensor tensor, long? queryHeads, long? keyHeads)
    {
        string[] words = tensor.Name.Split('.');
        string parameter = words[^1];
        byte[] data = tensor.Data.AsSpan(0, (int)tensor.Data.Length).ToArray();
        long[] shape = [.. tensor.Shape];
        if (words[0] != "blk")
        {
            string outer = words[0] switch
            {
                "token_embd" => "model.embed_tokens",
                "output_norm" => "model.norm",
                "output" => "lm_head",
                _ => throw new ArgumentException(tensor.Name),
            };
            weights.Tensor($"{outer}.{parameter}", "F32", shape, data);
            return;
        }

        int layer = int.Parse(words[1], CultureInfo.InvariantCulture);
        string block = $"model.layers.{layer}";
        switch (words[2])
        {
            case "ffn_gate_exps" or "ffn_up_exps" or "ffn_down_exps":
                int bytes = data.Length / (int)shape[0];
                for (int expert = 0; expert < shape[0]; expert++)
                {
                    string name = $"{block}.mlp.experts.{expert}.{words[2].Split('_')[1]}_proj.{parameter}";
                    weights.Tensor(name, "F32", shape[1..], data[(expert * bytes)..((expert + 1) * bytes)]);
                }

                return;
            case "ffn_gate_inp_shexp":
                shape = [1, .. shape]; // a linear layer with one output
                break;
            case "attn_q" when queryHeads is { } heads:
                data = Halves(data, (int)heads, (int)shape[0]);
                break;
            case "attn_k" when keyHeads is { } heads:
                data = Halves(data, (int)heads, (int)shape[0]);
                break;
        }

        string module = words[2] switch
        {
            "attn_norm" => "input_layernorm",
            "attn_q" => "self_attn.q_proj",
            "attn_k" => "self_attn.k_proj",
            "attn_v" => "self_attn.v_proj",
            "attn_output" => "self_attn.o_proj",
            "attn_q_norm" => "self_attn.q_norm",
            "attn_k_norm" => "self_attn.k_norm",
            "ffn_norm" => "post_attention_layernorm",
            "ffn_gate" => "mlp.gate_proj",
            "ffn_up" => "mlp.up_proj",
            "ffn_down" => "mlp.down_proj",
            "ffn_gate_inp" => "mlp.gate",
            "ffn_gate_inp_shexp" => "mlp.shared_expert_gate",
            "ffn_gate_shexp" => $"mlp.{Shared(tensor)}.gate_proj",
            "ffn_up_shexp" => $"mlp.{Shared(tensor)}.up_proj",
            "ffn_down_shexp" => $"mlp.{Shared(tensor)}.down_proj",
            _ => throw new ArgumentException(tensor.Name),
        };
        weights.Tensor($"{block}.{module}.{parameter}", "F32", shape, data);
    }

    /// <summary>What the two families of mixtures with shared experts call them.</summary>
    private static string Shared(Tensor tensor) => tensor.File.Contains("deepseek", StringComparison.Ordinal) ? "shared_experts" : "shared_expert";

    /// <summary>Rows 2i and 2i + 1 of each head go to i and i + half.</summary>
    private static byte[] Halves(byte[] rows, int heads, int count)
    {
        int rowBytes = rows.Length / count;
        int headRows = count / heads;
        var halves = new byte[rows.Length];
        for (int row = 0; row < count; row++)
        {
            int within = row % headRows;
            int to = row - within + (within / 2) + (within % 2 * headRows / 2);
            rows.AsSpan(row * rowBytes, rowBytes).CopyTo(halves.AsSpan(to * rowBytes));
        }

        return halves;
    }
}
