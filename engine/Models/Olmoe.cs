using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>
/// OLMoE (Muennighoff et al. 2024, arXiv:2409.02060): norms of queries and keys over all heads together; experts weighed by a softmax
/// over all, not renormalised.
/// </summary>
/// <remarks>Tensors as in <see cref="Qwen3Moe"/>; the norms of queries and keys are as wide as all their heads.</remarks>
internal static class Olmoe
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: false);
        RouterShape router = decoder.Router(GateFunction.Softmax, reader.Flag("expert_weights_norm"));
        return decoder.Assemble(
            (block, _) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope, QueryKeyNorm.AllHeads),
                decoder.Norm(block + "ffn_norm.weight"),
                decoder.Mixture(block, router, reader.Size("feed_forward_length"))),
            rope);
    }
}
