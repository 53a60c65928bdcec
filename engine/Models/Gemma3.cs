using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>
/// Gemma 3, its text part (Gemma team 2025, arXiv:2503.19786): norms before and after each part, norms on query and key heads, GELU
/// gates, and five layers with a sliding window and short rotary periods for each layer that sees everything.
/// </summary>
/// <remarks>
/// Tensors as in <see cref="Llama"/>, with blk.N.{attn_q_norm, attn_k_norm, post_attention_norm, post_ffw_norm}. Norm weights are stored
/// with their 1 added, as GGUF converters write them.
/// </remarks>
internal static class Gemma3
{
    private const int DefaultPattern = 6;

    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding global = decoder.Rope(adjacent: false);
        RotaryEmbedding local = decoder.Rope(
            adjacent: false, new RotaryScaling.None(), reader.Number("rope.freq_base_swa", reader.Number("rope.local.freq_base", 10000)));
        int window = reader.Size("attention.sliding_window");
        int pattern = reader.Size("attention.sliding_window_pattern", DefaultPattern);
        float? scale = reader.Number("attention.scale", 0) is > 0 and var given ? given : null;
        return decoder.Assemble(
            (block, layer) =>
            {
                bool seesAll = (layer + 1) % pattern == 0;
                return new TransformerBlock(
                    decoder.Norm(block + "attn_norm.weight"),
                    decoder.Attention(block, seesAll ? global : local, QueryKeyNorm.PerHead, seesAll ? 0 : window, scale),
                    decoder.Norm(block + "ffn_norm.weight"),
                    decoder.Dense(block, GateActivation.Gelu))
                {
                    AttentionPostNorm = decoder.Norm(block + "post_attention_norm.weight"),
                    FeedForwardPostNorm = decoder.Norm(block + "post_ffw_norm.weight"),
                };
            },
            global,
            local) with
        {
            EmbeddingScale = MathF.Sqrt(decoder.Embedding),
        };
    }
}
