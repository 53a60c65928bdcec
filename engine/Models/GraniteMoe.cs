using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>
/// Granite 3 mixtures (Granite team, IBM 2024, technical report): LLaMA's parts with four fixed factors, on embeddings, scores,
/// residual branches and logits; experts chosen by their logits, with a softmax over the chosen; shared experts in later ones.
/// </summary>
/// <remarks>Tensors as in <see cref="Llama"/> of a mixture, with blk.N.ffn_*_shexp in those that share experts.</remarks>
internal static class GraniteMoe
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: true);
        RouterShape router = decoder.Router(GateFunction.SoftmaxOfChosen, normalize: false);
        int hidden = reader.Size("feed_forward_length");
        int sharedHidden = reader.Count("expert_shared_feed_forward_length");
        float? scale = reader.Number("attention.scale", 0) is not 0 and var given ? given : null;
        float residual = reader.Number("residual_scale", 1);
        return decoder.Assemble(
            (block, _) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope, scale: scale),
                decoder.Norm(block + "ffn_norm.weight"),
                decoder.Mixture(block, router, hidden, sharedHidden > 0 ? decoder.Shared(block, sharedHidden) : null))
            {
                ResidualScale = residual,
            },
            rope) with
        {
            EmbeddingScale = reader.Number("embedding_scale", 1),
            LogitDivisor = reader.Number("logit_scale", 1),
        };
    }
}
