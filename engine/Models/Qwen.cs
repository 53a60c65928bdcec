using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>Qwen2 (Yang et al. 2024, arXiv:2407.10671): LLaMA with biases on queries, keys and values.</summary>
internal static class Qwen2
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: false);
        return decoder.Assemble(
            (block, _) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope),
                decoder.Norm(block + "ffn_norm.weight"),
                decoder.Dense(block)),
            rope);
    }
}

/// <summary>
/// Qwen2-MoE (Qwen1.5-MoE; arXiv:2407.10671, section 2.2.2): experts weighed by a softmax over all, not renormalised, and shared
/// experts weighed by a gate of their own.
/// </summary>
internal static class Qwen2Moe
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: false);
        RouterShape router = decoder.Router(GateFunction.Softmax, reader.Flag("expert_weights_norm"));
        int hidden = reader.Size("expert_feed_forward_length", reader.Size("feed_forward_length") / router.Used);
        int sharedHidden = reader.Size("expert_shared_feed_forward_length", reader.Size("feed_forward_length"));
        return decoder.Assemble(
            (block, _) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope),
                decoder.Norm(block + "ffn_norm.weight"),
                decoder.Mixture(
                    block,
                    router,
                    hidden,
                    decoder.Shared(block, sharedHidden),
                    reader.Row(block + "ffn_gate_inp_shexp", decoder.Embedding))),
            rope);
    }
}

/// <summary>Qwen3 (Yang et al. 2025, arXiv:2505.09388): no biases, but a norm on each query and key head.</summary>
internal static class Qwen3
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: false);
        return decoder.Assemble(
            (block, _) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope, QueryKeyNorm.PerHead),
                decoder.Norm(block + "ffn_norm.weight"),
                decoder.Dense(block)),
            rope);
    }
}

/// <summary>Qwen3-MoE (arXiv:2505.09388): Qwen3 with experts in every layer, no shared ones, weights renormalised.</summary>
internal static class Qwen3Moe
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: false);
        RouterShape router = decoder.Router(GateFunction.Softmax, normalize: true);
        int hidden = reader.Size("expert_feed_forward_length");
        return decoder.Assemble(
            (block, _) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope, QueryKeyNorm.PerHead),
                decoder.Norm(block + "ffn_norm.weight"),
                reader.Has(block + "ffn_gate_inp.weight") ? decoder.Mixture(block, router, hidden) : decoder.Dense(block)),
            rope);
    }
}
