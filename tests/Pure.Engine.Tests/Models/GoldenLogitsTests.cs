using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>Ours against theirs: logits of float64 mathematics that nobody here wrote.</summary>
public class GoldenLogitsTests(ITestOutputHelper output)
{
    private const double FloatTolerance = 1e-9;

    public static TheoryData<string> QuantisedModels { get; } =
    [
        "llama-q256-Q2_K",
        "llama-q256-IQ4_XS",
        "llama-q256-Q4_0",
        "llama-q256-Q4_K_M",
        "llama-q256-Q6_K",
        "llama-q256-Q8_0",
        "deepseek2-v3-q256-Q2_K",
        "deepseek2-v3-q256-IQ4_XS",
        "deepseek2-v3-q256-Q4_K_M",
        "deepseek2-v3-q256-Q6_K",
        "deepseek2-v3-q256-Q8_0",
        "qwen3moe-q256-IQ4_XS",
        "qwen3moe-q256-MXFP4_MOE",
        "qwen3moe-q256-Q4_0",
        "qwen3moe-q256-Q4_K_M",
        "qwen3moe-q256-Q6_K",
        "qwen3moe-q256-Q8_0",
    ];

    [Theory]
    [InlineData("llama-gqa")]
    [InlineData("llama-gqa-shards")]
    [InlineData("llama-mixtral")]
    [InlineData("llama-q256-F32")]
    [InlineData("llama-rope-linear")]
    [InlineData("llama-rope-llama3")]
    [InlineData("llama-rope-yarn")]
    [InlineData("llama-d64-F16")]
    [InlineData("llama-d64-BF16")]
    [InlineData("deepseek2-lite-kvb")]
    [InlineData("deepseek2-lite-split")]
    [InlineData("deepseek2-v2-kvb")]
    [InlineData("deepseek2-v3-kvb")]
    [InlineData("deepseek2-v3-split")]
    [InlineData("deepseek2-v3-q256-F32")]
    [InlineData("deepseek-v1")]
    [InlineData("gpt-oss")]
    [InlineData("olmoe")]
    [InlineData("qwen2")]
    [InlineData("qwen2moe")]
    [InlineData("qwen3")]
    [InlineData("qwen3-tied")]
    [InlineData("qwen3moe")]
    [InlineData("qwen3moe-q256-F32")]
    public void Float_models_give_the_exact_logits_and_greedy_tokens(string name)
    {
        Golden golden = Golden.Open(name);
        using Model model = Load(golden, ActivationType.Q8);
        RequireNmse(name, Select(Run.Logits(model, golden.Tokens), golden.Positions, golden.Vocabulary), golden.ExactLogits);
        Assert.Equal(golden.GreedyTokens, Run.Greedy(model, golden.Tokens.AsSpan(0, golden.PromptLength), golden.GreedyTokens.Length));
    }

    [Theory]
    [InlineData("llama-rope-linear")]
    [InlineData("llama-rope-llama3")]
    [InlineData("llama-rope-yarn")]
    [InlineData("deepseek2-lite-kvb")]
    [InlineData("deepseek2-lite-split")]
    [InlineData("deepseek2-v3-kvb")]
    [InlineData("deepseek2-v3-split")]
    [InlineData("gpt-oss")]
    public void Stretched_positions_stay_exact_past_the_original_context(string name)
    {
        Golden golden = Golden.Open(name);
        (int[] tokens, int[] positions, float[] exact) = golden.Long ?? throw new InvalidOperationException($"{name} has no long run.");
        using Model model = Load(golden, ActivationType.Q8);
        RequireNmse(name, Select(Run.Logits(model, tokens), positions, golden.Vocabulary), exact);
    }

    [Theory]
    [MemberData(nameof(QuantisedModels))]
    public void Quantised_models_with_float_activations_give_the_exact_logits(string name)
    {
        Golden golden = Golden.Open(name);
        using Model model = Load(golden, ActivationType.F32);
        RequireNmse(name, Select(Run.Logits(model, golden.Tokens), golden.Positions, golden.Vocabulary), golden.ExactLogits);
        Assert.Equal(golden.GreedyTokens, Run.Greedy(model, golden.Tokens.AsSpan(0, golden.PromptLength), golden.GreedyTokens.Length));
    }

    [Theory]
    [MemberData(nameof(QuantisedModels))]
    public void Eight_bit_activations_stay_as_near_as_the_other_engine(string name)
    {
        Golden golden = Golden.Open(name);
        using Model model = Load(golden, ActivationType.Q8);
        float[] ours = Run.Logits(model, golden.Tokens);
        if (golden.IsMixture)
        {
            // A flipped expert moves one position far, so mixtures are compared by the median over positions.
            double median = Median([.. golden.Positions.Select(p => Golden.Nmse(Row(ours, p), Row(golden.ExactLogits, p)))]);
            double allowed = 1.5 * Median(golden.LlamaCppDistances);
            output.WriteLine($"{name}: median NMSE {median:e2}, allowed {allowed:e2}");
            Assert.True(median <= allowed, $"median NMSE {median:e2} is above {allowed:e2}");
        }
        else
        {
            double nmse = Golden.Nmse(ours, golden.ExactLogits);
            double allowed = 1.2 * golden.LlamaCppDistance;
            output.WriteLine($"{name}: NMSE {nmse:e2}, allowed {allowed:e2}");
            Assert.True(nmse <= allowed, $"NMSE {nmse:e2} is above {allowed:e2}");
        }

        ReadOnlySpan<float> Row(float[] logits, int position) => logits.AsSpan(position * golden.Vocabulary, golden.Vocabulary);
    }

    private static Model Load(Golden golden, ActivationType activations) =>
        Model.Load(golden.ModelPath, new ModelOptions { Activations = activations, CacheType = CacheType.F32 });

    private void RequireNmse(string name, float[] ours, float[] exact)
    {
        double nmse = Golden.Nmse(ours, exact);
        output.WriteLine($"{name}: NMSE {nmse:e2}");
        Assert.True(nmse <= FloatTolerance, $"NMSE {nmse:e2} is above {FloatTolerance:e0}");
    }

    private static float[] Select(float[] logits, int[] positions, int vocabulary) =>
        [.. positions.SelectMany(position => logits.AsSpan(position * vocabulary, vocabulary).ToArray())];

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}
