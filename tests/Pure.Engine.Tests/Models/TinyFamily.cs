using System.Runtime.InteropServices;
using Pure.Engine.Formats;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Tests.Kernels;

namespace Pure.Engine.Tests.Models;

/// <summary>
/// A small model of any family with seeded random weights of any element type: a few layers, every part that the family has, and rows
/// of 256 columns, which hold whole blocks of every type.
/// </summary>
internal sealed class TinyFamily
{
    public const int Vocabulary = 48;

    private const int Embedding = 256;
    private const int Hidden = 256;
    private const int HeadSize = 64;
    private const int Heads = 4;
    private const int KvHeads = 2;
    private const int Used = 2;

    private readonly MemoryModelFile _file;
    private readonly Random _random = new(11);
    private readonly string _family;
    private readonly ElementType _type;
    private readonly int _experts;
    private readonly int _layers;

    private TinyFamily(MemoryModelFile file, string family, ElementType type, int experts, int layers)
    {
        _file = file;
        _family = family;
        _type = type;
        _experts = experts;
        _layers = layers;
    }

    /// <param name="family">An architecture of <see cref="Family.Names"/>.</param>
    /// <param name="type">How its matrices are stored; routers, norms and biases are F32.</param>
    /// <param name="experts">Experts of a mixture, of which a token uses two; 0 for <c>llama</c> without.</param>
    /// <param name="layers">Layers.</param>
    public static MemoryModelFile Create(string family, ElementType type = ElementType.F32, int experts = 8, int layers = 2)
    {
        var file = new MemoryModelFile();
        new TinyFamily(file, family, type, experts, layers).Build();
        return file;
    }

    private void Build()
    {
        _file.Set("general.architecture", _family);
        Set(("context_length", 1024), ("embedding_length", Embedding), ("block_count", _layers), ("feed_forward_length", Hidden));
        Set(("attention.head_count", Heads), ("attention.head_count_kv", KvHeads), ("attention.layer_norm_rms_epsilon", 1e-6));
        Matrix("token_embd", Vocabulary, Embedding);
        Matrix("output", Vocabulary, Embedding);
        Gains("output_norm", Embedding);
        if (_experts > 0)
            Set(("expert_count", _experts), ("expert_used_count", Used), ("expert_feed_forward_length", Hidden));
        for (int layer = 0; layer < _layers; layer++)
        {
            Gains($"blk.{layer}.attn_norm", Embedding);
            Layer($"blk.{layer}.", layer);
        }
    }

    private void Layer(string block, int layer)
    {
        switch (_family)
        {
            case "llama":
                Attention(block);
                FeedForward(block, isMixture: _experts > 0);
                break;
            case "qwen2":
                Attention(block, inputBiases: true);
                FeedForward(block, isMixture: false);
                break;
            case "qwen2moe":
                Attention(block, inputBiases: true);
                FeedForward(block, isMixture: true, shared: true);
                Set(("expert_shared_feed_forward_length", Hidden));
                Vector(block + "ffn_gate_inp_shexp.weight", Embedding);
                break;
            case "qwen3":
                Attention(block, norm: HeadSize);
                FeedForward(block, isMixture: false);
                break;
            case "qwen3moe":
                Attention(block, norm: HeadSize);
                FeedForward(block, isMixture: true);
                break;
            case "olmoe":
                Attention(block, norm: Heads * HeadSize);
                FeedForward(block, isMixture: true);
                break;
            case "deepseek":
                Set(("leading_dense_block_count", 1), ("expert_shared_count", 1));
                Attention(block);
                FeedForward(block, isMixture: layer > 0, shared: true);
                break;
            case "deepseek2":
                Set(("leading_dense_block_count", 1), ("expert_shared_count", 1), ("expert_gating_func", 2), ("expert_weights_norm", true));
                Set(("expert_weights_scale", 2.5), ("expert_group_count", 4), ("expert_group_used_count", 2));
                Set(("rope.scaling.type", "yarn"), ("rope.scaling.factor", 4.0), ("rope.scaling.original_context_length", 16));
                Set(("rope.scaling.yarn_log_multiplier", 0.1));
                LatentAttention(block, isSplit: layer > 0);
                FeedForward(block, isMixture: layer > 0, shared: true);
                if (layer > 0)
                    Vector(block + "exp_probs_b.bias", _experts);
                break;
            case "gpt-oss":
                Set(("attention.sliding_window", 8));
                Attention(block, inputBiases: true, outputBias: true);
                Vector(block + "attn_sinks.weight", Heads);
                Gains(block + "post_attention_norm", Embedding);
                Mixture(block, biases: true);
                break;
            case "gemma3":
                Set(("attention.sliding_window", 8), ("attention.sliding_window_pattern", 2), ("rope.freq_base", 1e6));
                Attention(block, norm: HeadSize);
                Gains(block + "post_attention_norm", Embedding);
                FeedForward(block, isMixture: false);
                Gains(block + "post_ffw_norm", Embedding);
                break;
            case "granitemoe":
                Set(("attention.scale", 0.1), ("residual_scale", 0.4), ("embedding_scale", 3.0), ("logit_scale", 2.0));
                Set(("expert_shared_feed_forward_length", Hidden));
                Attention(block);
                FeedForward(block, isMixture: true, shared: true);
                break;
            default:
                Assert.Fail($"There is no tiny model of the family {_family}: add one here, so that its promises are tested.");
                break;
        }
    }

    private void Attention(string block, bool inputBiases = false, bool outputBias = false, int norm = 0)
    {
        foreach ((string name, int heads) in (ReadOnlySpan<(string, int)>)[("attn_q", Heads), ("attn_k", KvHeads), ("attn_v", KvHeads)])
        {
            Matrix(block + name, heads * HeadSize, Embedding);
            if (inputBiases)
                Vector($"{block}{name}.bias", heads * HeadSize);
        }

        Matrix(block + "attn_output", Embedding, Heads * HeadSize);
        if (outputBias)
            Vector(block + "attn_output.bias", Embedding);
        if (norm == 0)
            return;
        Gains(block + "attn_q_norm", norm);
        Gains(block + "attn_k_norm", norm == HeadSize ? HeadSize : KvHeads * HeadSize);
    }

    /// <summary>Queries compressed; the joint up-projection, or the two that it is split into.</summary>
    private void LatentAttention(string block, bool isSplit)
    {
        const int Latent = 256, Nope = 256, Rope = 32, Value = 256;
        Set(("attention.head_count", 2), ("attention.q_lora_rank", 256), ("attention.kv_lora_rank", Latent), ("rope.dimension_count", Rope));
        Set(("attention.key_length", Nope + Rope), ("attention.value_length", Value));
        Matrix(block + "attn_q_a", 256, Embedding);
        Gains(block + "attn_q_a_norm", 256);
        Matrix(block + "attn_q_b", 2 * (Nope + Rope), 256);
        Matrix(block + "attn_kv_a_mqa", Latent + Rope, Embedding);
        Gains(block + "attn_kv_a_norm", Latent);
        if (isSplit)
        {
            Matrix(block + "attn_k_b", 2, Latent, Nope);
            Matrix(block + "attn_v_b", 2, Value, Latent);
        }
        else
        {
            Matrix(block + "attn_kv_b", 2 * (Nope + Value), Latent);
        }

        Matrix(block + "attn_output", Embedding, 2 * Value);
    }

    private void FeedForward(string block, bool isMixture, bool shared = false)
    {
        Gains(block + "ffn_norm", Embedding);
        if (isMixture)
            Mixture(block);
        else
            Gated(block, "");
        if (isMixture && shared)
            Gated(block, "_shexp");
    }

    private void Mixture(string block, bool biases = false)
    {
        Vector(block + "ffn_gate_inp.weight", _experts, Embedding);
        Gated(block, "_exps", _experts);
        if (!biases)
            return;
        Vector(block + "ffn_gate_inp.bias", _experts);
        Vector(block + "ffn_gate_exps.bias", _experts, Hidden);
        Vector(block + "ffn_up_exps.bias", _experts, Hidden);
        Vector(block + "ffn_down_exps.bias", _experts, Embedding);
    }

    private void Gated(string block, string suffix, params ReadOnlySpan<long> stack)
    {
        Matrix($"{block}ffn_gate{suffix}", [.. stack, Hidden, Embedding]);
        Matrix($"{block}ffn_up{suffix}", [.. stack, Hidden, Embedding]);
        Matrix($"{block}ffn_down{suffix}", [.. stack, Embedding, Hidden]);
    }

    private void Set(params ReadOnlySpan<(string Key, object Value)> keys)
    {
        foreach ((string key, object value) in keys)
            _file.Set($"{_family}.{key}", value);
    }

    private void Matrix(string name, params long[] shape)
    {
        var data = new AlignedBuffer<byte>(Count(shape) / shape[^1] * ElementFormat.Of(_type).RowBytes(shape[^1]));
        switch (_type)
        {
            case ElementType.F32:
                _random.NextBytes(data.Span);
                foreach (ref uint bits in MemoryMarshal.Cast<byte, uint>(data.Span))
                    bits = (bits & 0x807F_FFFF) | 0x3D00_0000; // of both signs, from 1/32 to 1/16
                break;
            case ElementType.F16:
                _random.NextBytes(data.Span);
                foreach (ref ushort bits in MemoryMarshal.Cast<byte, ushort>(data.Span))
                    bits = (ushort)((bits & 0x83FF) | 0x2800);
                break;
            case ElementType.BF16:
                _random.NextBytes(data.Span);
                foreach (ref ushort bits in MemoryMarshal.Cast<byte, ushort>(data.Span))
                    bits = (ushort)((bits & 0x807F) | 0x3D00);
                break;
            case ElementType.F8_E4M3:
            case ElementType.F8_E5M2:
                FillSmall(data.Span);
                break;
            case ElementType.F8_E4M3_B128:
                FillSmall(data.Span);
                for (long block = 0; block < data.Length; block += ElementFormat.Of(_type).BlockBytes)
                    MemoryMarshal.Write(data.Writable(block, sizeof(float)), _random.NextNormal());
                break;
            default:
                using (GuardedMemory<byte> blocks = _random.RandomWeights(_type, (int)(Count(shape) / shape[^1]), (int)shape[^1]))
                    blocks.Span.CopyTo(data.Span);
                break;
        }

        _file.Add(name + ".weight", _type, shape, data);
    }

    /// <summary>A norm's weights: small, so that scores stay where a softmax tells them apart.</summary>
    private void Gains(string name, int size) => Floats(name + ".weight", 0.15f, size);

    private void Vector(string name, params long[] shape) => Floats(name, 0.25f, shape);

    private void Floats(string name, float scale, params long[] shape)
    {
        var data = new AlignedBuffer<byte>(Count(shape) * sizeof(float));
        foreach (ref float value in MemoryMarshal.Cast<byte, float>(data.Span))
            value = _random.NextNormal() * scale;
        _file.Add(name, ElementType.F32, shape, data);
    }

    /// <summary>8-bit floats of either form below one half.</summary>
    private void FillSmall(Span<byte> values)
    {
        _random.NextBytes(values);
        foreach (ref byte value in values)
            value = (byte)((value & 0x80) | ((value & 0x7F) % 0x30));
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (product, size) => product * size);
}
