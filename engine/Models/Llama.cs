using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>
/// LLaMA (Touvron et al. 2023, arXiv:2302.13971; Llama 3: arXiv:2407.21783), Mistral (Jiang et al. 2023, arXiv:2310.06825) and its
/// mixture, Mixtral (Jiang et al. 2024, arXiv:2401.04088): grouped-query attention, SwiGLU, RMSNorm before each part.
/// </summary>
/// <remarks>
/// Tensors: token_embd, blk.N.{attn_norm, attn_q, attn_k, attn_v, attn_output, ffn_norm, ffn_gate, ffn_up, ffn_down}, or
/// blk.N.{ffn_gate_inp, ffn_gate_exps, ffn_up_exps, ffn_down_exps}, output_norm, output (absent: tied), rope_freqs (Llama 3.1).
/// </remarks>
internal static class Llama
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: true);
        int window = reader.Count("attention.sliding_window"); // Mistral 7B's first version
        bool isMixture = reader.Count("expert_count") > 0;
        return decoder.Assemble(
            (block, _) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope, window: window),
                decoder.Norm(block + "ffn_norm.weight"),
                isMixture
                    ? decoder.Mixture(block, decoder.Router(GateFunction.Softmax, normalize: true), reader.Size("feed_forward_length"))
                    : decoder.Dense(block)),
            rope);
    }
}
