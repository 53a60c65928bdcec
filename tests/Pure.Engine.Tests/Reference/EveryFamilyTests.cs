using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Reference;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Reference;

/// <summary>
/// The engine against the double-precision pass for every family in the table, those included for which nobody else's logits are
/// stored. The two share no arithmetic, but do share the assembled layers: what a family is made of, stored logits must prove.
/// </summary>
public class EveryFamilyTests(ITestOutputHelper output)
{
    public static TheoryData<string, ElementType> Cases =>
        [.. Family.Names.SelectMany(family => new[] { (family, ElementType.F32), (family, ElementType.Q5_K) })];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Floats_agree_with_double_precision(string family, ElementType type)
    {
        using var model = Model.Load(
            TinyFamily.Create(family, type),
            new ModelOptions { Threads = 1, MaxBatchRows = 32, Activations = ActivationType.F32, CacheType = CacheType.F32 });
        int[] tokens = [.. Enumerable.Range(0, 24).Select(index => index * 31 % TinyFamily.Vocabulary)];
        IReadOnlyList<double[]> exact = new ReferenceModel(model).Logits(tokens, trace: null, TestContext.Current.CancellationToken);

        double nmse = Golden.Nmse(Run.Logits(model, tokens), [.. exact.SelectMany(row => row.Select(logit => (float)logit))]);

        output.WriteLine($"{family} {type}: NMSE {nmse:e2}");
        Assert.True(nmse <= 1e-9, $"NMSE {nmse:e2} is above 1e-9");
    }

    /// <summary>Both sides work their frequencies out for themselves; here with factors and contexts that no small model has.</summary>
    [Fact]
    public void Frequencies_of_both_sides_agree()
    {
        RotaryScaling[] scalings =
        [
            new RotaryScaling.None(),
            new RotaryScaling.Linear(4),
            new RotaryScaling.Ntk(8),
            new RotaryScaling.Dynamic(2, 4096, 65536),
            new RotaryScaling.Dynamic(2, 4096, 100),
            new RotaryScaling.PerPair([.. Enumerable.Range(1, 32).Select(index => 1 + (index / 8f))]),
            new RotaryScaling.Llama3(8, 8192, 1, 4),
            new RotaryScaling.Yarn(40, 4096, 32, 1) { ScoreWeight = 0.0707 },
            new RotaryScaling.Yarn(32, 4096, 32, 1) { Truncate = false, ExtraMagnitude = 0.9 },
            new RotaryScaling.Yarn(4, 32768, 32, 1) { FixedMagnitude = 1.25 },
        ];
        foreach (RotaryScaling scaling in scalings)
        {
            foreach (double theta in (double[])[10000, 500000, 1e6])
            {
                using var ours = new RotaryEmbedding(scaling, theta, pairs: 32, adjacent: true, maxRows: 1);
                var theirs = new Rotation(ours);
                for (int pair = 0; pair < 32; pair++)
                    Assert.Equal(1, scaling.Frequencies(theta, 32)[pair] / theirs.Frequencies[pair], 1e-14);
                Assert.Equal(scaling.Magnitude, theirs.Magnitude, 1e-15);
                Assert.Equal(scaling.ScoreFactor, Rotation.ScoreFactor(scaling), 1e-15);
            }
        }
    }
}
