using Pure.Engine.Layers;

namespace Pure.Engine.Models;

/// <summary>
/// DeepSeek-V2 (arXiv:2405.04434) with V2-Lite, DeepSeek-V3 (arXiv:2412.19437) and R1: multi-head latent attention, leading dense
/// layers, then mixtures of many small experts with shared ones beside them, and YaRN.
/// </summary>
/// <remarks>
/// Tensors: token_embd, blk.N.{attn_norm, attn_q | attn_q_a, attn_q_a_norm, attn_q_b, attn_kv_a_mqa, attn_kv_a_norm,
/// attn_kv_b | attn_k_b, attn_v_b, attn_output, ffn_norm}, blk.N.{ffn_gate, ffn_up, ffn_down} in leading layers, then
/// blk.N.{ffn_gate_inp, exp_probs_b.bias, ffn_*_exps, ffn_*_shexp}, output_norm, output (absent: tied).
/// </remarks>
internal static class DeepSeek2
{
    internal static Transformer Build(WeightReader reader, int vocabulary)
    {
        var decoder = new Decoder(reader, vocabulary);
        LatentShape heads = AttentionShape(reader);
        int queryRank = reader.Count("attention.q_lora_rank");
        RotaryEmbedding rope = decoder.Rope(adjacent: true, heads.RopeSize, Scaling(reader));
        var scratch = reader.Own(new MultiHeadLatentAttention.Scratch(reader.MaxRows, heads, queryRank, reader.ExpandsLatents));
        int dense = reader.Count("leading_dense_block_count");
        Func<string, FeedForward>? mixture = dense < decoder.Layers ? Mixture(reader, decoder) : null;
        return decoder.Assemble(
            (block, layer) => new TransformerBlock(
                decoder.Norm(block + "attn_norm.weight"),
                new MultiHeadLatentAttention(
                    reader.Cpu, heads, AttentionWeights(reader, decoder, block, heads, queryRank), rope, scratch),
                decoder.Norm(block + "ffn_norm.weight"),
                layer < dense ? decoder.Dense(block) : mixture!(block)),
            rope);
    }

    private static LatentShape AttentionShape(WeightReader reader)
    {
        int latent = reader.Size("attention.kv_lora_rank");
        int rope = reader.Size("rope.dimension_count");

        // Files with split up-projections give the sizes of the absorbed form under the plain keys and the paper's under "_mla".
        int key = reader.Size("attention.key_length_mla", reader.Size("attention.key_length"));
        int value = reader.Size("attention.value_length_mla", reader.Size("attention.value_length"));
        if (rope % 2 != 0 || rope >= key)
            throw reader.Wrong("rope.dimension_count", $"an even number below the key size of {key}", rope);
        if (latent > SpanAttention.MaxValueSize)
            throw reader.Wrong("attention.kv_lora_rank", $"a number up to {SpanAttention.MaxValueSize}", latent);
        int heads = reader.Size("attention.head_count");
        reader.Product("attention.head_count", heads, latent + key + value);
        return new LatentShape(heads, latent, key - rope, rope, value);
    }

    /// <summary>
    /// With YaRN the magnitude goes onto the attention scale, squared, and not onto cosines and sines, where a file gives its
    /// <c>yarn_log_multiplier</c> (0.1 · mscale_all_dim); a file without one is plain YaRN. Cosines and sines then have mscale's ratio
    /// to mscale_all_dim, which is 1 in all published models.
    /// </summary>
    private static RotaryScaling Scaling(WeightReader reader)
    {
        RotaryScaling scaling = RopeScaling.Read(reader);
        float multiplier = reader.Number("rope.scaling.yarn_log_multiplier", 0);
        return scaling is RotaryScaling.Yarn yarn && multiplier != 0
            ? yarn with { FixedMagnitude = RopeScaling.FixedMagnitude(reader, 1), ScoreWeight = multiplier }
            : scaling;
    }

    private static MultiHeadLatentAttention.Weights AttentionWeights(
        WeightReader reader, Decoder decoder, string block, LatentShape shape, int queryRank)
    {
        int embedding = decoder.Embedding;
        float epsilon = reader.Number("attention.latent_norm_rms_epsilon", decoder.Epsilon);
        bool compressed = queryRank > 0;
        int queryRows = shape.Heads * shape.QuerySize;
        Linear? queryDown = compressed ? reader.Linear(block + "attn_q_a", queryRank, embedding) : null;
        RmsNorm? queryNorm = compressed ? reader.Norm(block + "attn_q_a_norm.weight", queryRank, epsilon) : null;
        Linear query = compressed
            ? reader.Linear(block + "attn_q_b", queryRows, queryRank)
            : reader.Linear(block + "attn_q", queryRows, embedding);
        Linear latentDown = reader.Linear(block + "attn_kv_a_mqa", shape.CacheColumns, embedding);
        RmsNorm latentNorm = reader.Norm(block + "attn_kv_a_norm.weight", shape.LatentSize, epsilon);
        (Linear[] keyUp, Linear[] valueUp, Linear[]? keyExpand) = reader.Has(block + "attn_kv_b.weight")
            ? reader.KeyValueUp(block + "attn_kv_b", shape)
            : SplitUp(reader, block, shape);
        Linear output = reader.Linear(block + "attn_output", embedding, shape.Heads * shape.ValueSize);
        return new MultiHeadLatentAttention.Weights(queryDown, queryNorm, query, latentDown, latentNorm, keyUp, valueUp, output, keyExpand);
    }

    /// <summary>Up-projections in tensors of their own, the keys' transposed already.</summary>
    private static (Linear[] KeyUp, Linear[] ValueUp, Linear[]? KeyExpand) SplitUp(WeightReader reader, string block, LatentShape shape)
    {
        Linear[] keys = reader.Heads(block + "attn_k_b", shape.Heads, shape.LatentSize, shape.NopeSize);
        Linear[] values = reader.Heads(block + "attn_v_b", shape.Heads, shape.ValueSize, shape.LatentSize);
        return (keys, values, reader.ExpandsLatents ? reader.Transposed(Array.ConvertAll(keys, key => key.Weights)) : null);
    }

    private static Func<string, FeedForward> Mixture(WeightReader reader, Decoder decoder)
    {
        int hidden = reader.Size("expert_feed_forward_length");
        int sharedHidden = reader.Product("expert_shared_count", hidden, reader.Count("expert_shared_count"));
        int gate = reader.Count("expert_gating_func");
        RouterShape router = decoder.Router(
            gate switch
            {
                0 or 1 => GateFunction.Softmax, // files of V2 and V2.5 say nothing
                2 => GateFunction.Sigmoid,
                _ => throw reader.Wrong("expert_gating_func", "1 (softmax) or 2 (sigmoid)", gate),
            },
            reader.Flag("expert_weights_norm"),
            reader.Number("expert_weights_scale", 1),
            Math.Max(1, reader.Count("expert_group_count")),
            Math.Max(1, reader.Count("expert_group_used_count")),
            reader.Text("expert_group_score") switch
            {
                null or "sum_of_two_best" => GroupScore.SumOfTwoBest,
                "max" => GroupScore.Max,
                var other => throw reader.Wrong("expert_group_score", "max or sum_of_two_best", $"'{other}'"),
            });
        return block => decoder.Mixture(block, router, hidden, sharedHidden > 0 ? decoder.Shared(block, sharedHidden) : null);
    }
}
