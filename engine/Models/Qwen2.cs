using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>Qwen2 (Yang et al. 2024, arXiv:2407.10671): LLaMA with biases on queries, keys and values.</summary>
/// <remarks>Tensors as in <see cref="Llama"/>, with attn_q, attn_k and attn_v biases.</remarks>
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
