using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;

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
        int embedding = reader.Size("embedding_length");
        int predictors = reader.Count("nextn_predict_layers");
        int layers = reader.Size("block_count") - predictors;
        if (layers < 1)
            throw reader.Wrong("nextn_predict_layers", "fewer than block_count", predictors);
        int dense = reader.Count("leading_dense_block_count");
        float epsilon = reader.Number("attention.layer_norm_rms_epsilon");
        float latentEpsilon = reader.Number("attention.latent_norm_rms_epsilon", epsilon);
        LatentShape attention = AttentionShape(reader);
        int queryRank = reader.Count("attention.q_lora_rank");
        (RotaryEmbedding rope, double scale) = Rope(reader, attention);
        var scratch = reader.Own(new MultiHeadLatentAttention.Scratch(reader.MaxRows, attention, queryRank));
        Func<string, FeedForward> leading = LeadingFeedForward(reader, embedding, dense);
        Func<string, FeedForward> mixture = Mixture(reader, embedding, mixtures: layers - dense);

        Linear tokens = reader.Linear("token_embd", vocabulary, embedding);
        var blocks = new TransformerBlock[layers];
        for (int layer = 0; layer < layers; layer++)
        {
            string block = $"blk.{layer}.";
            blocks[layer] = new TransformerBlock(
                reader.Norm(block + "attn_norm.weight", embedding, epsilon),
                new MultiHeadLatentAttention(
                    reader.Cpu, attention, AttentionWeights(reader, block, attention, embedding, queryRank, latentEpsilon), rope, scale, scratch),
                reader.Norm(block + "ffn_norm.weight", embedding, epsilon),
                layer < dense ? leading(block) : mixture(block));
        }

        RmsNorm outputNorm = reader.Norm("output_norm.weight", embedding, epsilon);
        Linear head = reader.Has("output.weight") ? reader.Linear("output", vocabulary, embedding) : tokens;

        // Layers that predict further tokens serve speculation; the next token's logits do not need them.
        reader.RefuseUnread([.. Enumerable.Range(layers, predictors).Select(layer => $"blk.{layer}.")]);
        return new Transformer(tokens, [rope], blocks, outputNorm, head, new CacheShape(layers, attention.CacheColumns));
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
    private static (RotaryEmbedding Rope, double Scale) Rope(WeightReader reader, LatentShape attention)
    {
        RotaryScaling scaling = RopeScaling.Read(reader);
        double mscale = 1;
        float multiplier = reader.Number("rope.scaling.yarn_log_multiplier", 0);
        if (scaling is RotaryScaling.Yarn yarn && multiplier != 0)
        {
            mscale = RotaryScaling.Yarn.Mscale(yarn.Factor, multiplier);
            scaling = yarn with { MagnitudeFactor = reader.Number("rope.scaling.magnitude", 1) };
        }

        double[] frequencies = scaling.Frequencies(reader.Number("rope.freq_base", 10000), attention.RopeSize / 2);
        var rope = reader.Own(new RotaryEmbedding(frequencies, scaling.Magnitude, adjacent: true, reader.MaxRows));
        return (rope, mscale * mscale / Math.Sqrt(attention.QuerySize));
    }

    private static MultiHeadLatentAttention.Weights AttentionWeights(
        WeightReader reader, string block, LatentShape shape, int embedding, int queryRank, float epsilon)
    {
        bool compressed = queryRank > 0;
        int queryRows = shape.Heads * shape.QuerySize;
        Linear? queryDown = compressed ? reader.Linear(block + "attn_q_a", queryRank, embedding) : null;
        RmsNorm? queryNorm = compressed ? reader.Norm(block + "attn_q_a_norm.weight", queryRank, epsilon) : null;
        Linear query = compressed
            ? reader.Linear(block + "attn_q_b", queryRows, queryRank)
            : reader.Linear(block + "attn_q", queryRows, embedding);
        Linear latentDown = reader.Linear(block + "attn_kv_a_mqa", shape.CacheColumns, embedding);
        RmsNorm latentNorm = reader.Norm(block + "attn_kv_a_norm.weight", shape.LatentSize, epsilon);
        (Linear[] keyUp, Linear[] valueUp) = reader.Has(block + "attn_kv_b.weight")
            ? reader.KeyValueUp(block + "attn_kv_b", shape)
            : (reader.Heads(block + "attn_k_b", shape.Heads, shape.LatentSize, shape.NopeSize),
                reader.Heads(block + "attn_v_b", shape.Heads, shape.ValueSize, shape.LatentSize));
        Linear output = reader.Linear(block + "attn_output", embedding, shape.Heads * shape.ValueSize);
        return new MultiHeadLatentAttention.Weights(queryDown, queryNorm, query, latentDown, latentNorm, keyUp, valueUp, output);
    }

    private static Func<string, FeedForward> LeadingFeedForward(WeightReader reader, int embedding, int layers)
    {
        if (layers == 0)
            return _ => throw new InvalidOperationException("There are no leading dense layers.");
        int hidden = reader.Size("feed_forward_length");
        var scratch = reader.Own(new GatedFeedForward.Scratch(reader.MaxRows, hidden));
        return block => new GatedFeedForward(
            reader.Cpu,
            GateActivation.Silu,
            reader.Linear(block + "ffn_gate", hidden, embedding),
            reader.Linear(block + "ffn_up", hidden, embedding),
            reader.Linear(block + "ffn_down", embedding, hidden),
            scratch);
    }

    private static Func<string, FeedForward> Mixture(WeightReader reader, int embedding, int mixtures)
    {
        if (mixtures <= 0)
            return _ => throw new InvalidOperationException("There are no mixture layers.");
        int hidden = reader.Size("expert_feed_forward_length");
        RouterShape shape = ReadRouterShape(reader);
        Experts.Check(reader, shape);
        int sharedHidden = reader.Product("expert_shared_count", hidden, reader.Count("expert_shared_count"));
        var scratch = reader.Own(new MixtureOfExperts.Scratch(reader.MaxRows, shape, embedding, hidden));
        GatedFeedForward.Scratch? sharedScratch =
            sharedHidden > 0 ? reader.Own(new GatedFeedForward.Scratch(reader.MaxRows, sharedHidden)) : null;
        return block => new MixtureOfExperts(
            reader.Cpu,
            shape,
            new MixtureOfExperts.Weights(
                reader.Linear(block + "ffn_gate_inp", shape.Experts, embedding),
                reader.Has(block + "exp_probs_b.bias") ? reader.Vector(block + "exp_probs_b.bias", shape.Experts) : null,
                reader.Experts(block + "ffn_gate_exps", shape, hidden, embedding),
                reader.Experts(block + "ffn_up_exps", shape, hidden, embedding),
                reader.Experts(block + "ffn_down_exps", shape, embedding, hidden),
                sharedScratch is null
                    ? null
                    : new GatedFeedForward(
                        reader.Cpu,
                        GateActivation.Silu,
                        reader.Linear(block + "ffn_gate_shexp", sharedHidden, embedding),
                        reader.Linear(block + "ffn_up_shexp", sharedHidden, embedding),
                        reader.Linear(block + "ffn_down_shexp", embedding, sharedHidden),
                        sharedScratch)),
            scratch);
    }

    private static RouterShape ReadRouterShape(WeightReader reader)
    {
        int gate = reader.Count("expert_gating_func");
        return new RouterShape(
            reader.Size("expert_count"),
            reader.Size("expert_used_count"),
            gate switch
            {
                0 or 1 => GateFunction.Softmax, // files of V2 and V2.5 say nothing
                2 => GateFunction.Sigmoid,
                _ => throw reader.Wrong("expert_gating_func", "1 (softmax) or 2 (sigmoid)", gate),
            },
            Math.Max(1, reader.Count("expert_group_count")),
            Math.Max(1, reader.Count("expert_group_used_count")),
            reader.Flag("expert_weights_norm"),
            reader.Number("expert_weights_scale", 1),
            reader.Text("expert_group_score") switch
            {
                null or "sum_of_two_best" => GroupScore.SumOfTwoBest,
                "max" => GroupScore.Max,
                var other => throw reader.Wrong("expert_group_score", "max or sum_of_two_best", $"'{other}'"),
            });
    }
}
