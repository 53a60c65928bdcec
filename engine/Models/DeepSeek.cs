using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>
/// DeepSeekMoE (Dai et al. 2024, arXiv:2401.06066), the first DeepSeek mixture: LLaMA's attention, leading dense layers, then many small
/// experts, weighed by a softmax over all and not renormalised, with shared ones beside them.
/// </summary>
/// <remarks>Tensors as in <see cref="Llama"/>; from the first mixture on, blk.N.{ffn_gate_inp, ffn_*_exps, ffn_*_shexp} for ffn_*.</remarks>
internal static class DeepSeek
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: true);
        int dense = reader.Count("leading_dense_block_count");
        RouterShape router = decoder.Router(
            GateFunction.Softmax, reader.Flag("expert_weights_norm"), reader.Number("expert_weights_scale", 1));
        int hidden = reader.Size("expert_feed_forward_length");
        int sharedHidden = reader.Product("expert_shared_count", hidden, reader.Size("expert_shared_count"));
        return decoder.Assemble(
            (block, layer) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope),
                decoder.Norm(block + "ffn_norm.weight"),
                layer < dense ? decoder.Dense(block) : decoder.Mixture(block, router, hidden, decoder.Shared(block, sharedHidden))),
            rope);
    }
}
