using Pure.Engine.Kernels;
using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>
/// gpt-oss (OpenAI 2025, model card, arXiv:2508.10925): a sink in every head's softmax, a sliding window in every other layer, biases
/// everywhere, experts chosen by their logits with a softmax over the chosen, and a clamped gate.
/// </summary>
/// <remarks>
/// Tensors as in <see cref="Llama"/>, all with biases, with blk.N.{attn_sinks, post_attention_norm, ffn_gate_inp, ffn_*_exps}.
/// </remarks>
internal static class GptOss
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        RotaryEmbedding rope = decoder.Rope(adjacent: false);
        RouterShape router = decoder.Router(GateFunction.SoftmaxOfChosen, normalize: false);
        int hidden = reader.Size("expert_feed_forward_length");
        int window = reader.Size("attention.sliding_window");
        return decoder.Assemble(
            (block, layer) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                decoder.Attention(block, rope, window: layer % 2 == 0 ? window : 0),
                decoder.Norm(block + "post_attention_norm.weight"), // GGUF's name for the norm before the experts
                decoder.Mixture(block, router, hidden, activation: GateActivation.ClampedSilu)),
            rope);
    }
}
