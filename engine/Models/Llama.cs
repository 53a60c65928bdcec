using Pure.Engine.Layers;
using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>
/// LLaMA (Touvron et al. 2023, arXiv:2302.13971; Llama 3: arXiv:2407.21783) and its mixture, Mixtral (Jiang et al. 2024,
/// arXiv:2401.04088): grouped-query attention with rotary positions on adjacent pairs, SwiGLU, RMSNorm before each part.
/// </summary>
/// <remarks>
/// Tensors: token_embd, blk.N.{attn_norm, attn_q, attn_k, attn_v, attn_output, ffn_norm, ffn_gate, ffn_up, ffn_down}, or
/// blk.N.{ffn_gate_inp, ffn_gate_exps, ffn_up_exps, ffn_down_exps}, output_norm, output (absent: tied), rope_freqs (Llama 3.1).
/// </remarks>
internal static class Llama
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        int embedding = reader.Size("embedding_length");
        int layers = reader.Size("block_count");
        float epsilon = reader.Number("attention.layer_norm_rms_epsilon");
        GroupedQueryShape attention = AttentionShape(reader, embedding);
        RotaryEmbedding rope = Rope(reader, attention);
        var scratch = reader.Own(new GroupedQueryAttention.Scratch(reader.MaxRows, attention));
        Func<string, FeedForward> feedForward = FeedForwardOf(reader, embedding);

        Linear tokens = reader.Linear("token_embd.weight", vocabulary, embedding);
        var blocks = new TransformerBlock[layers];
        for (int layer = 0; layer < layers; layer++)
        {
            string block = $"blk.{layer}.";
            blocks[layer] = new TransformerBlock(
                reader.Norm(block + "attn_norm.weight", embedding, epsilon),
                new GroupedQueryAttention(
                    reader.Cpu,
                    attention,
                    reader.Linear(block + "attn_q.weight", attention.Heads * attention.KeySize, embedding),
                    reader.Linear(block + "attn_k.weight", attention.KvHeads * attention.KeySize, embedding),
                    reader.Linear(block + "attn_v.weight", attention.KvHeads * attention.ValueSize, embedding),
                    reader.Linear(block + "attn_output.weight", embedding, attention.Heads * attention.ValueSize),
                    rope,
                    scratch),
                reader.Norm(block + "ffn_norm.weight", embedding, epsilon),
                feedForward(block));
        }

        RmsNorm outputNorm = reader.Norm("output_norm.weight", embedding, epsilon);
        Linear head = reader.Has("output.weight") ? reader.Linear("output.weight", vocabulary, embedding) : tokens;
        reader.RefuseUnread();
        return new Transformer(tokens, rope, blocks, outputNorm, head, new CacheShape(layers, attention.CacheColumns));
    }

    private static GroupedQueryShape AttentionShape(WeightReader reader, int embedding)
    {
        int heads = reader.Size("attention.head_count");
        int kvHeads = reader.Size("attention.head_count_kv", heads);
        if (heads % kvHeads != 0)
            throw reader.Wrong("attention.head_count_kv", $"a divisor of the {heads} heads", kvHeads);
        int headSize = reader.Size("attention.key_length", embedding / heads);
        int valueSize = reader.Size("attention.value_length", embedding / heads);
        if (valueSize is 0 or > SpanAttention.MaxValueSize)
            throw reader.Wrong("attention.value_length", $"a number from 1 to {SpanAttention.MaxValueSize}", valueSize);
        reader.Product("attention.head_count", heads, headSize + valueSize);
        return new GroupedQueryShape(heads, kvHeads, headSize, valueSize);
    }

    private static RotaryEmbedding Rope(WeightReader reader, GroupedQueryShape attention)
    {
        int dimensions = reader.Size("rope.dimension_count", attention.KeySize);
        if (dimensions % 2 != 0 || dimensions > attention.KeySize)
            throw reader.Wrong("rope.dimension_count", $"an even number up to the head size of {attention.KeySize}", dimensions);
        RotaryScaling scaling = reader.Has("rope_freqs.weight")
            ? new RotaryScaling.PerPair(reader.Vector("rope_freqs.weight", dimensions / 2))
            : RopeScaling.Read(reader);
        double theta = reader.Number("rope.freq_base", 10000);
        return reader.Own(new RotaryEmbedding(scaling.Frequencies(theta, dimensions / 2), scaling.Magnitude, adjacent: true, reader.MaxRows));
    }

    private static Func<string, FeedForward> FeedForwardOf(WeightReader reader, int embedding)
    {
        int hidden = reader.Size("feed_forward_length");
        int experts = reader.Count("expert_count");
        if (experts == 0)
        {
            var dense = reader.Own(new SwiGluFeedForward.Scratch(reader.MaxRows, hidden));
            return block => new SwiGluFeedForward(
                reader.Cpu,
                reader.Linear(block + "ffn_gate.weight", hidden, embedding),
                reader.Linear(block + "ffn_up.weight", hidden, embedding),
                reader.Linear(block + "ffn_down.weight", embedding, hidden),
                dense);
        }

        int used = reader.Size("expert_used_count");
        var shape = new RouterShape(experts, used, GateFunction.Softmax, Groups: 1, UsedGroups: 1, NormalizeWeights: true, WeightScale: 1);
        Experts.Check(reader, shape);
        var scratch = reader.Own(new MixtureOfExperts.Scratch(reader.MaxRows, shape, embedding, hidden));
        return block => new MixtureOfExperts(
            reader.Cpu,
            shape,
            new MixtureOfExperts.Weights(
                reader.Linear(block + "ffn_gate_inp.weight", experts, embedding),
                SelectionBias: null,
                reader.Experts(block + "ffn_gate_exps.weight", experts, used, hidden, embedding),
                reader.Experts(block + "ffn_up_exps.weight", experts, used, hidden, embedding),
                reader.Experts(block + "ffn_down_exps.weight", experts, used, embedding, hidden),
                Shared: null),
            scratch);
    }
}
