using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>Qwen3 (Yang et al. 2025, arXiv:2505.09388): no biases, but a norm on each query and key head.</summary>
/// <remarks>Tensors as in <see cref="Llama"/>, with blk.N.{attn_q_norm, attn_k_norm}.</remarks>
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
