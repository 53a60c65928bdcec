using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>
/// Qwen2-MoE (Qwen1.5-MoE; arXiv:2407.10671, section 2.2.2): experts weighed by a softmax over all, not renormalised, and shared
/// experts weighed by a gate of their own.
/// </summary>
/// <remarks>Tensors: those of <see cref="Qwen2"/>, with blk.N.{ffn_gate_inp, ffn_*_exps, ffn_gate_inp_shexp, ffn_*_shexp} for ffn_*.</remarks>
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
