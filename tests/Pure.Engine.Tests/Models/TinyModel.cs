using System.Runtime.InteropServices;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Models;
using Pure.Engine.Tests.Formats;

namespace Pure.Engine.Tests.Models;

/// <summary>A model of seeded random F32 weights, whose keys and tensors a test may bend before it is loaded.</summary>
internal sealed class TinyModel
{
    public Dictionary<string, object> Keys { get; } = [];

    /// <summary>Shapes, slowest dimension first.</summary>
    public Dictionary<string, int[]> Tensors { get; } = [];

    /// <summary>Values that stand in a tensor's place of random ones.</summary>
    public Dictionary<string, float[]> Values { get; } = [];

    /// <summary>Element types and bytes that stand in a tensor's place of random floats.</summary>
    public Dictionary<string, (uint Type, byte[] Data)> Types { get; } = [];

    public static TinyModel Llama()
    {
        var model = new TinyModel();
        model.Set("llama", ("context_length", 64), ("embedding_length", 16), ("block_count", 2), ("feed_forward_length", 24));
        model.Set("llama", ("attention.head_count", 4), ("attention.head_count_kv", 2));
        model.Keys["llama.attention.layer_norm_rms_epsilon"] = 1e-5f;
        model.Tensors["token_embd.weight"] = [20, 16];
        for (int layer = 0; layer < 2; layer++)
        {
            string block = $"blk.{layer}.";
            model.Tensors[block + "attn_norm.weight"] = [16];
            model.Tensors[block + "attn_q.weight"] = [16, 16];
            model.Tensors[block + "attn_k.weight"] = [8, 16];
            model.Tensors[block + "attn_v.weight"] = [8, 16];
            model.Tensors[block + "attn_output.weight"] = [16, 16];
            model.Tensors[block + "ffn_norm.weight"] = [16];
            model.Tensors[block + "ffn_gate.weight"] = [24, 16];
            model.Tensors[block + "ffn_up.weight"] = [24, 16];
            model.Tensors[block + "ffn_down.weight"] = [16, 24];
        }

        model.Tensors["output_norm.weight"] = [16];
        return model;
    }

    public static TinyModel DeepSeek2()
    {
        var model = new TinyModel();
        model.Set("deepseek2", ("context_length", 64), ("embedding_length", 16), ("block_count", 2), ("feed_forward_length", 24));
        model.Set("deepseek2", ("attention.head_count", 2), ("attention.key_length", 12), ("attention.value_length", 6));
        model.Set("deepseek2", ("attention.kv_lora_rank", 10), ("rope.dimension_count", 4), ("leading_dense_block_count", 1));
        model.Set("deepseek2", ("expert_count", 8), ("expert_used_count", 2), ("expert_feed_forward_length", 12), ("expert_shared_count", 1));
        model.Keys["deepseek2.attention.layer_norm_rms_epsilon"] = 1e-6f;
        model.Tensors["token_embd.weight"] = [20, 16];
        for (int layer = 0; layer < 2; layer++)
        {
            string block = $"blk.{layer}.";
            model.Tensors[block + "attn_norm.weight"] = [16];
            model.Tensors[block + "attn_q.weight"] = [24, 16];
            model.Tensors[block + "attn_kv_a_mqa.weight"] = [14, 16];
            model.Tensors[block + "attn_kv_a_norm.weight"] = [10];
            model.Tensors[block + "attn_kv_b.weight"] = [28, 10];
            model.Tensors[block + "attn_output.weight"] = [16, 12];
            model.Tensors[block + "ffn_norm.weight"] = [16];
        }

        foreach ((string suffix, int hidden) in (ReadOnlySpan<(string, int)>)[("0.ffn_{0}", 24), ("1.ffn_{0}_shexp", 12)])
        {
            model.Tensors["blk." + suffix.Replace("{0}", "gate") + ".weight"] = [hidden, 16];
            model.Tensors["blk." + suffix.Replace("{0}", "up") + ".weight"] = [hidden, 16];
            model.Tensors["blk." + suffix.Replace("{0}", "down") + ".weight"] = [16, hidden];
        }

        model.Tensors["blk.1.ffn_gate_inp.weight"] = [8, 16];
        model.Tensors["blk.1.ffn_gate_exps.weight"] = [8, 12, 16];
        model.Tensors["blk.1.ffn_up_exps.weight"] = [8, 12, 16];
        model.Tensors["blk.1.ffn_down_exps.weight"] = [8, 16, 12];
        model.Tensors["output_norm.weight"] = [16];
        return model;
    }

    /// <summary>With a layer that predicts the token after the next, whose network is a mixture as the last layer's.</summary>
    public static TinyModel DeepSeek2WithNextToken()
    {
        TinyModel model = DeepSeek2();
        model.Set("deepseek2", ("block_count", 3), ("nextn_predict_layers", 1));
        foreach ((string name, int[] shape) in model.Tensors.Where(tensor => tensor.Key.StartsWith("blk.1.", StringComparison.Ordinal)).ToArray())
            model.Tensors[name.Replace("blk.1.", "blk.2.", StringComparison.Ordinal)] = shape;
        model.Tensors["blk.2.nextn.eh_proj.weight"] = [16, 32];
        model.Tensors["blk.2.nextn.enorm.weight"] = [16];
        model.Tensors["blk.2.nextn.hnorm.weight"] = [16];
        model.Tensors["blk.2.nextn.shared_head_norm.weight"] = [16];
        model.Tensors["blk.2.nextn.shared_head_head.weight"] = [20, 16];
        return model;
    }

    public Model Load(ModelOptions? options = null) =>
        Model.Load(GgufFile.Open(new MemoryStream(Bytes()), "tiny.gguf"), options ?? new ModelOptions { Threads = 1 });

    public byte[] Bytes()
    {
        var random = new Random(7);
        var builder = new GgufBuilder();
        foreach ((string key, object value) in Keys)
            builder.Key(key, value);
        foreach ((string name, int[] shape) in Tensors)
        {
            ulong[] sizes = [.. shape.Reverse().Select(size => (ulong)size)];
            if (Types.TryGetValue(name, out var stored))
            {
                builder.Tensor(name, stored.Type, sizes, stored.Data);
                continue;
            }

            float[] values = Values.GetValueOrDefault(name)
                ?? [.. Enumerable.Range(0, shape.Aggregate(1, (product, size) => product * size)).Select(_ => (float)(random.NextDouble() - 0.5))];
            builder.Tensor(name, 0, sizes, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        }

        return builder.Build();
    }

    private void Set(string architecture, params ReadOnlySpan<(string Key, int Value)> sizes)
    {
        Keys["general.architecture"] = architecture;
        foreach ((string key, int value) in sizes)
            Keys[$"{architecture}.{key}"] = (uint)value;
    }
}
