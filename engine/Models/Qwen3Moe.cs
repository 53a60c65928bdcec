using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>Qwen3-MoE (arXiv:2505.09388): Qwen3 with experts in every layer, no shared ones, weights renormalised.</summary>
/// <remarks>Tensors: those of <see cref="Qwen3"/>, with blk.N.{ffn_gate_inp, ffn_*_exps} for ffn_*.</remarks>
internal static class Qwen3Moe
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: false);
        RouterShape router = decoder.Router(GateFunction.Softmax, reader.Flag("expert_weights_norm", otherwise: true));
        int window = reader.Count("attention.sliding_window");
        int hidden = reader.Size("expert_feed_forward_length");
        return decoder.Assemble(
            (block, _) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope, QueryKeyNorm.PerHead, window),
                decoder.Norm(block + "ffn_norm.weight"),
                reader.Has(block + "ffn_gate_inp.weight") ? decoder.Mixture(block, router, hidden) : decoder.Dense(block)),
            rope);
    }
}
