using Pure.Engine.Models;
using Pure.Engine.Reference;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Reference;

/// <summary>The double-precision pass against double-precision mathematics that nobody here wrote.</summary>
public class ReferenceLogitsTests(ITestOutputHelper output)
{
    // The stored logits are rounded to floats, which alone makes about 1e-15.
    private const double Tolerance = 1e-12;

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
    [InlineData("llama-q256-Q8_0")]
    [InlineData("llama-q256-Q4_K_M")]
    [InlineData("deepseek2-lite-kvb")]
    [InlineData("deepseek2-lite-split")]
    [InlineData("deepseek2-v2-kvb")]
    [InlineData("deepseek2-v3-kvb")]
    [InlineData("deepseek2-v3-split")]
    [InlineData("deepseek2-v3-q256-F32")]
    [InlineData("deepseek2-v3-q256-Q6_K")]
    [InlineData("deepseek-v1")]
    [InlineData("gpt-oss")]
    [InlineData("olmoe")]
    [InlineData("qwen2")]
    [InlineData("qwen2moe")]
    [InlineData("qwen3")]
    [InlineData("qwen3-tied")]
    [InlineData("qwen3moe")]
    [InlineData("qwen3moe-q256-F32")]
    public void Double_precision_gives_the_exact_logits(string name)
    {
        Golden golden = Golden.Open(name);
        RequireNmse(golden, golden.Tokens, golden.Positions, golden.ExactLogits);
    }

    [Theory]
    [InlineData("llama-rope-linear")]
    [InlineData("llama-rope-llama3")]
    [InlineData("llama-rope-yarn")]
    [InlineData("deepseek2-lite-kvb")]
    [InlineData("deepseek2-v3-split")]
    [InlineData("gpt-oss")]
    public void Double_precision_stays_exact_past_the_original_context(string name)
    {
        Golden golden = Golden.Open(name);
        (int[] tokens, int[] positions, float[] exact) = golden.Long ?? throw new InvalidOperationException($"{name} has no long run.");
        RequireNmse(golden, tokens, positions, exact);
    }

    [Fact]
    public void Threads_caches_and_activations_have_no_part_in_it()
    {
        Golden golden = Golden.Open("llama-q256-Q4_K_M");
        using var one = Model.Load(golden.ModelPath, new ModelOptions { Threads = 1, Activations = ActivationType.Q8 });
        using var other = Model.Load(golden.ModelPath, new ModelOptions { Threads = 2, Activations = ActivationType.F32 });
        int[] tokens = golden.Tokens[..6];

        Assert.Equal(Logits(one, tokens), Logits(other, tokens));
    }

    [Fact]
    public void Bad_tokens_are_refused()
    {
        using Model model = TinyModel.Llama().Load();

        Assert.Throws<InvalidRequestException>(() => Logits(model));
        Assert.Throws<InvalidRequestException>(() => Logits(model, 20));
        Assert.Throws<InvalidRequestException>(() => Logits(model, new int[65]));
    }

    [Fact]
    public void A_cancelled_pass_stops()
    {
        using Model model = TinyModel.Llama().Load();

        Assert.Throws<OperationCanceledException>(
            () => new ReferenceModel(model).Logits([1], trace: null, new CancellationToken(canceled: true)));
    }

    private static IReadOnlyList<double[]> Logits(Model model, params int[] tokens) =>
        new ReferenceModel(model).Logits(tokens, trace: null, TestContext.Current.CancellationToken);

    private void RequireNmse(Golden golden, int[] tokens, int[] positions, float[] exact)
    {
        using var model = Model.Load(golden.ModelPath, new ModelOptions { Threads = 1 });
        IReadOnlyList<double[]> logits = Logits(model, tokens);
        double error = 0;
        double norm = 0;
        for (int index = 0; index < exact.Length; index++)
        {
            (int row, int column) = Math.DivRem(index, golden.Vocabulary);
            double difference = logits[positions[row]][column] - exact[index];
            error += difference * difference;
            norm += (double)exact[index] * exact[index];
        }

        output.WriteLine($"{golden.Name}: NMSE {error / norm:e2}");
        Assert.True(error / norm <= Tolerance, $"NMSE {error / norm:e2} is above {Tolerance:e0}");
    }
}
