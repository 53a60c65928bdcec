using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>
/// The parts that families share, under the names they share: a family says which of them it has and what is different, such as an
/// attention of its own.
/// </summary>
internal sealed class Decoder
{
    private readonly WeightReader _reader;
    private readonly int _vocabulary;
    private readonly int _predictors;
    private GroupedQueryShape? _heads;
    private GroupedQueryAttention.Scratch? _attention;
    private GatedFeedForward.Scratch? _dense;
    private GatedFeedForward.Scratch? _shared;
    private MixtureOfExperts.Scratch? _experts;

    internal Decoder(WeightReader reader, int vocabulary)
    {
        _reader = reader;
        _vocabulary = vocabulary;
        Embedding = reader.Size("embedding_length");
        _predictors = reader.Count("nextn_predict_layers");
        Layers = reader.Size("block_count") - _predictors;
        if (Layers < 1)
            throw reader.Wrong("nextn_predict_layers", "fewer than block_count", _predictors);
        Epsilon = reader.Number("attention.layer_norm_rms_epsilon");
    }

    internal int Embedding { get; }

    /// <summary>Layers of the next token's pass; those that predict further tokens are not among them.</summary>
    internal int Layers { get; }

    internal float Epsilon { get; }

    /// <summary>Heads of grouped-query attention.</summary>
    internal GroupedQueryShape Heads => _heads ??= ReadHeads(_reader, Embedding);

    internal RmsNorm Norm(string name) => _reader.Norm(name, Embedding, Epsilon);

    /// <summary>The rotary embedding that the file describes.</summary>
    /// <param name="adjacent">How the family's files pair dimensions, where the file does not say.</param>
    /// <param name="scaling">How frequencies are stretched; null for what the file says.</param>
    /// <param name="theta">Base of the frequencies; null for what the file says.</param>
    internal RotaryEmbedding Rope(bool adjacent, RotaryScaling? scaling = null, double? theta = null)
    {
        int dimensions = _reader.Size("rope.dimension_count", Heads.KeySize);
        if (dimensions % 2 != 0 || dimensions > Heads.KeySize)
            throw _reader.Wrong("rope.dimension_count", $"an even number up to the head size of {Heads.KeySize}", dimensions);
        scaling ??= RopeScaling.ReadPerPair(_reader, dimensions / 2) ?? RopeScaling.Read(_reader);
        return Rope(adjacent, dimensions, scaling, theta);
    }

    /// <summary>A rotary embedding of so many dimensions.</summary>
    internal RotaryEmbedding Rope(bool adjacent, int dimensions, RotaryScaling scaling, double? theta = null)
    {
        bool pairsAdjacent = _reader.Text("rope.pairing") switch
        {
            null => adjacent,
            "adjacent" => true,
            "halves" => false,
            string other => throw _reader.Wrong("rope.pairing", "adjacent or halves", $"'{other}'"),
        };
        double frequencyBase = theta ?? _reader.Rope.FrequencyBase ?? _reader.Number("rope.freq_base", 10000);
        return _reader.Own(new RotaryEmbedding(scaling, frequencyBase, dimensions / 2, pairsAdjacent, _reader.MaxRows));
    }

    /// <summary>blk.N.attn_q, attn_k, attn_v, attn_output, with biases where the file has them.</summary>
    /// <param name="block">Prefix of the layer's tensors.</param>
    /// <param name="rope">Positions.</param>
    /// <param name="norm">What blk.N.attn_q_norm and attn_k_norm run over.</param>
    /// <param name="window">Positions that a query sees; 0 for all.</param>
    /// <param name="scale">Factor on the scores; null for 1 / √KeySize.</param>
    internal GroupedQueryAttention Attention(string block, RotaryEmbedding rope, QueryKeyNorm norm = QueryKeyNorm.None, int window = 0, double? scale = null)
    {
        _attention ??= _reader.Own(new GroupedQueryAttention.Scratch(_reader.MaxRows, Heads));
        int queries = Heads.Heads * Heads.KeySize;
        int keys = Heads.KvHeads * Heads.KeySize;
        return new GroupedQueryAttention(
            _reader.Cpu,
            Heads,
            new GroupedQueryAttention.Weights(
                _reader.Linear(block + "attn_q", queries, Embedding, biased: true),
                _reader.Linear(block + "attn_k", keys, Embedding, biased: true),
                _reader.Linear(block + "attn_v", Heads.KvHeads * Heads.ValueSize, Embedding, biased: true),
                _reader.Linear(block + "attn_output", Embedding, Heads.Heads * Heads.ValueSize, biased: true),
                QueryKeyNormOf(block + "attn_q_norm.weight", norm, queries),
                QueryKeyNormOf(block + "attn_k_norm.weight", norm, keys),
                _reader.Has(block + "attn_sinks.weight") ? _reader.Vector(block + "attn_sinks.weight", Heads.Heads) : null),
            rope,
            scale ?? 1 / Math.Sqrt(Heads.KeySize),
            window,
            _attention);
    }

    /// <summary>blk.N.ffn_gate, ffn_up, ffn_down.</summary>
    internal GatedFeedForward Dense(string block, GateActivation activation = GateActivation.Silu)
    {
        int hidden = _reader.Size("feed_forward_length");
        _dense ??= _reader.Own(new GatedFeedForward.Scratch(_reader.MaxRows, hidden));
        return Gated(block, "", hidden, activation, _dense);
    }

    /// <summary>blk.N.ffn_gate_shexp, ffn_up_shexp, ffn_down_shexp.</summary>
    internal GatedFeedForward Shared(string block, int hidden)
    {
        _shared ??= _reader.Own(new GatedFeedForward.Scratch(_reader.MaxRows, hidden));
        return Gated(block, "_shexp", hidden, GateActivation.Silu, _shared);
    }

    /// <summary>The router's shape, from expert_count and expert_used_count, with the weights the family gives its experts.</summary>
    /// <param name="gate">What turns logits into scores.</param>
    /// <param name="normalize">Whether the chosen experts' weights are made to sum to 1.</param>
    /// <param name="scale">Factor on the weights.</param>
    /// <param name="groups">Groups that experts are cut into.</param>
    /// <param name="usedGroups">Groups that a token's experts may come from.</param>
    /// <param name="groupScore">What a group counts for.</param>
    internal RouterShape Router(
        GateFunction gate, bool normalize, float scale = 1, int groups = 1, int usedGroups = 1, GroupScore groupScore = GroupScore.SumOfTwoBest)
    {
        var shape = new RouterShape(
            _reader.Size("expert_count"), _reader.Size("expert_used_count"), gate, groups, usedGroups, normalize, scale, groupScore);
        Experts.Check(_reader, shape);
        return shape;
    }

    /// <summary>
    /// blk.N.ffn_gate_inp, ffn_gate_exps, ffn_up_exps, ffn_down_exps, with biases where the file has them, and exp_probs_b.bias, by which
    /// experts are chosen and not weighed, where it has that.
    /// </summary>
    internal MixtureOfExperts Mixture(
        string block,
        RouterShape shape,
        int hidden,
        GatedFeedForward? shared = null,
        Linear? sharedGate = null,
        GateActivation activation = GateActivation.Silu)
    {
        _experts ??= _reader.Own(new MixtureOfExperts.Scratch(_reader.MaxRows, shape, Embedding, hidden));
        return new MixtureOfExperts(
            _reader.Cpu,
            shape,
            new MixtureOfExperts.Weights(
                _reader.Linear(block + "ffn_gate_inp", shape.Experts, Embedding, biased: true),
                _reader.Has(block + "exp_probs_b.bias") ? _reader.Vector(block + "exp_probs_b.bias", shape.Experts) : null,
                _reader.Experts(block + "ffn_gate_exps", shape, hidden, Embedding),
                _reader.Experts(block + "ffn_up_exps", shape, hidden, Embedding),
                _reader.Experts(block + "ffn_down_exps", shape, Embedding, hidden),
                shared,
                sharedGate,
                activation),
            _experts,
            _reader.Stream);
    }

    /// <summary>token_embd, the blocks, output_norm and output (absent: tied).</summary>
    internal Transformer Assemble(Func<string, int, TransformerBlock> block, params RotaryEmbedding[] ropes)
    {
        Linear tokens = _reader.Lookup("token_embd", _vocabulary, Embedding);
        var blocks = new TransformerBlock[Layers];
        for (int layer = 0; layer < Layers; layer++)
            blocks[layer] = block($"blk.{layer}.", layer);
        RmsNorm outputNorm = Norm("output_norm.weight");
        Linear head = _reader.Has("output.weight") ? _reader.Linear("output", _vocabulary, Embedding) : _reader.Need(tokens);

        // Layers that predict further tokens serve speculation; the next token's logits do not need them. Only the first is used, and
        // not where a file has no more than a part of it.
        NextTokenLayer? nextToken = _predictors > 0
            && _reader.Has($"blk.{Layers}.nextn.eh_proj.weight") && _reader.Has($"blk.{Layers}.attn_output.weight")
            ? _reader.Idle(() => NextToken($"blk.{Layers}.", block, tokens, outputNorm, head))
            : null;
        _reader.RefuseUnread([.. Enumerable.Range(Layers, _predictors).Select(layer => $"blk.{layer}.")]);
        Attention attention = blocks[0].Attention;
        var cache = new CacheShape(
            nextToken is null ? Layers : Layers + 1,
            attention.CacheColumns,
            attention.CacheUnit,
            attention.CacheValueColumns,
            attention.CacheHeads);
        return new Transformer(tokens, ropes, blocks, outputNorm, head, cache) { NextToken = nextToken };
    }

    /// <summary>
    /// blk.N.nextn.eh_proj, enorm and hnorm beside a layer's tensors, with shared_head_norm, shared_head_head and embed_tokens where the
    /// file has them apart from the model's own.
    /// </summary>
    private NextTokenLayer NextToken(
        string prefix, Func<string, int, TransformerBlock> block, Linear tokens, RmsNorm outputNorm, Linear head)
    {
        string own = prefix + "nextn.";
        return new NextTokenLayer(
            _reader.Has(own + "embed_tokens.weight") ? _reader.Lookup(own + "embed_tokens", _vocabulary, Embedding) : tokens,
            Norm(own + "enorm.weight"),
            Norm(own + "hnorm.weight"),
            _reader.Linear(own + "eh_proj", Embedding, 2 * Embedding),
            block(prefix, Layers),
            _reader.Has(own + "shared_head_norm.weight") ? Norm(own + "shared_head_norm.weight") : outputNorm,
            _reader.Has(own + "shared_head_head.weight") ? _reader.Linear(own + "shared_head_head", _vocabulary, Embedding) : head);
    }

    private GatedFeedForward Gated(string block, string suffix, int hidden, GateActivation activation, GatedFeedForward.Scratch scratch) => new(
        _reader.Cpu,
        activation,
        _reader.Linear($"{block}ffn_gate{suffix}", hidden, Embedding),
        _reader.Linear($"{block}ffn_up{suffix}", hidden, Embedding),
        _reader.Linear($"{block}ffn_down{suffix}", Embedding, hidden),
        scratch);

    private RmsNorm? QueryKeyNormOf(string name, QueryKeyNorm norm, int all) => norm switch
    {
        QueryKeyNorm.PerHead => _reader.Norm(name, Heads.KeySize, Epsilon),
        QueryKeyNorm.AllHeads => _reader.Norm(name, all, Epsilon),
        _ => null,
    };

    private static GroupedQueryShape ReadHeads(WeightReader reader, int embedding)
    {
        int heads = reader.Size("attention.head_count");
        int kvHeads = reader.Size("attention.head_count_kv", heads);
        if (heads % kvHeads != 0)
            throw reader.Wrong("attention.head_count_kv", $"a divisor of the {heads} heads", kvHeads);
        int keySize = reader.Size("attention.key_length", embedding / heads);
        int valueSize = reader.Size("attention.value_length", embedding / heads);
        if (valueSize is 0 or > SpanAttention.MaxValueSize)
            throw reader.Wrong("attention.value_length", $"a number from 1 to {SpanAttention.MaxValueSize}", valueSize);
        reader.Product("attention.head_count", heads, keySize + valueSize);
        return new GroupedQueryShape(heads, kvHeads, keySize, valueSize);
    }
}

/// <summary>What a norm of queries and keys runs over.</summary>
internal enum QueryKeyNorm
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>Each head on its own.</summary>
    PerHead,

    /// <summary>All heads together.</summary>
    AllHeads,
}
