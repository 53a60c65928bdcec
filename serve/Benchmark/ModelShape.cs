using Pure.Engine.Formats.Gguf;

namespace Pure.Serve.Benchmark;

/// <summary>What random values a tensor takes.</summary>
internal enum TensorRole
{
    /// <summary>A norm's weights: ones.</summary>
    Norm,

    /// <summary>A router's matrix: floats whatever the model's type, as converters keep them.</summary>
    Router,

    /// <summary>The token embedding: elements of about 1, so that a token is told from its neighbours.</summary>
    Embedding,

    /// <summary>Any other matrix: elements of about 1/√columns, so that what goes in comes out about as large.</summary>
    Matrix,
}

/// <summary>One tensor of a shape.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Role">What values it takes.</param>
/// <param name="Layer">The layer it belongs to, -1 for none.</param>
/// <param name="Sizes">Slowest dimension first.</param>
internal readonly record struct ShapeTensor(string Name, TensorRole Role, int Layer, params long[] Sizes);

/// <summary>The sizes of a model whose weights are random: what a benchmark needs to know of a model, and nothing to download.</summary>
internal sealed record ModelShape
{
    /// <summary>TinyLlama 1.1B (arXiv:2401.02385): LLaMA with grouped queries.</summary>
    internal static readonly ModelShape Dense1B = new()
    {
        Name = "dense-1b",
        Architecture = "llama",
        Embedding = 2048,
        Layers = 22,
        Heads = 32,
        KvHeads = 4,
        HeadSize = 64,
        Hidden = 5632,
    };

    /// <summary>
    /// Six layers of DeepSeek-V2-Lite (arXiv:2405.04434), with the compressed queries of its larger brother: some readers take a
    /// model of few layers without them for another one.
    /// </summary>
    internal static readonly ModelShape MlaMoe = new()
    {
        Name = "mla-moe",
        Architecture = "deepseek2",
        Embedding = 2048,
        Layers = 6,
        DenseLayers = 1,
        Heads = 16,
        KvHeads = 16,
        Hidden = 10944,
        QueryRank = 1536,
        LatentSize = 512,
        HeadSize = 128,
        RopeSize = 64,
        Experts = 64,
        UsedExperts = 6,
        SharedExperts = 2,
        ExpertHidden = 1408,
    };

    /// <summary>A small Qwen3-MoE (arXiv:2505.09388): many narrow experts.</summary>
    internal static readonly ModelShape Qwen3Moe = new()
    {
        Name = "qwen3-moe",
        Architecture = "qwen3moe",
        Embedding = 1024,
        Layers = 12,
        Heads = 16,
        KvHeads = 4,
        HeadSize = 128,
        Hidden = 3072,
        Experts = 128,
        UsedExperts = 8,
        ExpertHidden = 512,
    };

    /// <summary>One layer of latent attention and little else, for contexts so long that only attention and the cache count.</summary>
    internal static readonly ModelShape MlaTiny = new()
    {
        Name = "mla-tiny",
        Architecture = "deepseek2",
        Embedding = 256,
        Layers = 1,
        DenseLayers = 1,
        Heads = 2,
        KvHeads = 2,
        Hidden = 512,
        QueryRank = 64,
        LatentSize = 32,
        HeadSize = 32,
        RopeSize = 16,
        Vocabulary = 1024,
    };

    /// <summary>All shapes.</summary>
    internal static readonly IReadOnlyList<ModelShape> All = [Dense1B, MlaMoe, Qwen3Moe, MlaTiny];

    private const float Epsilon = 1e-5f;
    private const float RopeBase = 10_000;

    internal required string Name { get; init; }

    internal required string Architecture { get; init; }

    internal required int Embedding { get; init; }

    internal required int Layers { get; init; }

    internal required int Heads { get; init; }

    internal required int KvHeads { get; init; }

    /// <summary>Elements of a head; with a latent, of its part without positions and of its value.</summary>
    internal required int HeadSize { get; init; }

    /// <summary>Inner width of dense feed-forward layers.</summary>
    internal required int Hidden { get; init; }

    internal int Vocabulary { get; init; } = 32_000;

    /// <summary>Far beyond what the weights would stand, were they trained: any depth can be measured.</summary>
    internal int Context { get; init; } = 262_144;

    /// <summary>Leading layers without experts, in a model with some.</summary>
    internal int DenseLayers { get; init; }

    internal int Experts { get; init; }

    internal int UsedExperts { get; init; }

    internal int SharedExperts { get; init; }

    internal int ExpertHidden { get; init; }

    /// <summary>Rank of compressed queries (q_lora_rank).</summary>
    internal int QueryRank { get; init; }

    /// <summary>Rank of compressed keys and values (kv_lora_rank); 0 for grouped queries.</summary>
    internal int LatentSize { get; init; }

    /// <summary>Whether the key and value up-projections of latent attention are two tensors, the keys' transposed, as in newer files.</summary>
    internal bool SplitsKeyValueUp { get; init; }

    /// <summary>Elements of a latent head's part with positions.</summary>
    internal int RopeSize { get; init; }

    private bool IsLatent => LatentSize > 0;

    /// <summary>The metadata that readers need, without the vocabulary's.</summary>
    internal GgufKeys Keys()
    {
        var keys = new GgufKeys();
        keys.Add("general.architecture", Architecture).Add("general.name", Name);
        Size("context_length", Context);
        Size("embedding_length", Embedding);
        Size("block_count", Layers);
        Size("feed_forward_length", Hidden);
        Size("attention.head_count", Heads);
        Size("attention.head_count_kv", KvHeads);
        Size("vocab_size", Vocabulary);
        keys.Add($"{Architecture}.attention.layer_norm_rms_epsilon", Epsilon).Add($"{Architecture}.rope.freq_base", RopeBase);
        Size("attention.key_length", HeadSize + RopeSize);
        Size("attention.value_length", HeadSize);
        Size("rope.dimension_count", IsLatent ? RopeSize : HeadSize);
        if (IsLatent)
        {
            Size("attention.q_lora_rank", QueryRank);
            Size("attention.kv_lora_rank", LatentSize);
        }

        if (Experts > 0)
        {
            Size("expert_count", Experts);
            Size("expert_used_count", UsedExperts);
            Size("expert_feed_forward_length", ExpertHidden);
        }

        if (DenseLayers > 0)
            Size("leading_dense_block_count", DenseLayers);
        if (SharedExperts > 0)
        {
            Size("expert_shared_count", SharedExperts);
            keys.Add($"{Architecture}.expert_weights_scale", 1f);
        }

        return keys;

        void Size(string key, int value) => keys.Add($"{Architecture}.{key}", (uint)value);
    }

    /// <summary>All tensors, in file order.</summary>
    internal IEnumerable<ShapeTensor> Tensors()
    {
        yield return new ShapeTensor("token_embd.weight", TensorRole.Embedding, -1, Vocabulary, Embedding);
        for (int layer = 0; layer < Layers; layer++)
        {
            bool isDense = Experts == 0 || layer < DenseLayers;
            foreach (ShapeTensor tensor in (ShapeTensor[])
                [Norm("attn_norm", Embedding), .. Attention(), Norm("ffn_norm", Embedding), .. isDense ? FeedForward("", Hidden) : Mixture()])
            {
                yield return tensor with { Name = $"blk.{layer}.{tensor.Name}.weight", Layer = layer };
            }
        }

        yield return new ShapeTensor("output_norm.weight", TensorRole.Norm, -1, Embedding);
        yield return new ShapeTensor("output.weight", TensorRole.Matrix, -1, Vocabulary, Embedding);
    }

    private ShapeTensor[] Attention()
    {
        if (IsLatent)
        {
            return
            [
                Matrix("attn_q_a", QueryRank, Embedding),
                Norm("attn_q_a_norm", QueryRank),
                Matrix("attn_q_b", Heads * (HeadSize + RopeSize), QueryRank),
                Matrix("attn_kv_a_mqa", LatentSize + RopeSize, Embedding),
                Norm("attn_kv_a_norm", LatentSize),
                .. KeyValueUp(),
                Matrix("attn_output", Embedding, Heads * HeadSize),
            ];
        }

        ShapeTensor[] projections =
        [
            Matrix("attn_q", Heads * HeadSize, Embedding),
            Matrix("attn_k", KvHeads * HeadSize, Embedding),
            Matrix("attn_v", KvHeads * HeadSize, Embedding),
            Matrix("attn_output", Embedding, Heads * HeadSize),
        ];
        return Architecture == "qwen3moe" ? [.. projections, Norm("attn_q_norm", HeadSize), Norm("attn_k_norm", HeadSize)] : projections;
    }

    private ShapeTensor[] KeyValueUp() => SplitsKeyValueUp
        ? [Matrix("attn_k_b", Heads, LatentSize, HeadSize), Matrix("attn_v_b", Heads, HeadSize, LatentSize)]
        : [Matrix("attn_kv_b", Heads * 2 * HeadSize, LatentSize)];

    private static ShapeTensor Norm(string name, long size) => new(name, TensorRole.Norm, -1, size);

    private static ShapeTensor Matrix(string name, params long[] sizes) => new(name, TensorRole.Matrix, -1, sizes);

    private ShapeTensor[] FeedForward(string suffix, int hidden) =>
    [
        Matrix("ffn_gate" + suffix, hidden, Embedding),
        Matrix("ffn_up" + suffix, hidden, Embedding),
        Matrix("ffn_down" + suffix, Embedding, hidden),
    ];

    private ShapeTensor[] Mixture() =>
    [
        new("ffn_gate_inp", TensorRole.Router, -1, Experts, Embedding),
        Matrix("ffn_gate_exps", Experts, ExpertHidden, Embedding),
        Matrix("ffn_up_exps", Experts, ExpertHidden, Embedding),
        Matrix("ffn_down_exps", Experts, Embedding, ExpertHidden),
        .. SharedExperts > 0 ? FeedForward("_shexp", SharedExperts * ExpertHidden) : [],
    ];
}
