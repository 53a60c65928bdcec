using System.Globalization;
using System.Runtime.InteropServices;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Reference;

namespace Pure.Engine.Tests.Models;

/// <summary>Stretched positions, as files say it and as options change it.</summary>
public class RopeScalingTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 24).Select(index => index * 31 % TinyFamily.Vocabulary)];

    /// <summary>
    /// Worked out apart from this code, in double precision, by the formulas of transformers' modeling_rope_utils (linear, dynamic, yarn,
    /// llama3) and of the NTK-aware base change, b · F^(d / (d - 2)).
    /// </summary>
    public static TheoryData<RopeOptions, double, double[], double> Frequencies => new()
    {
        { new() { Scaling = RopeScalingType.None }, 10000, [1, 0.1, 0.01, 0.001], 1 },
        { new() { Scaling = RopeScalingType.Linear, Factor = 4 }, 10000, [0.25, 0.025, 0.0025, 0.00025], 1 },
        { new() { Scaling = RopeScalingType.Ntk, Factor = 4 }, 10000, [1, 0.06299605249474366, 0.003968502629920499, 0.00025], 1 },
        {
            new() { Scaling = RopeScalingType.Dynamic, Factor = 2, OriginalContext = 4096, Context = 16384 }, 10000,
            [1, 0.052275795857471025, 0.0027327588325319844, 0.00014285714285714287], 1
        },
        { new() { Scaling = RopeScalingType.Dynamic, Factor = 2, OriginalContext = 4096, Context = 4096 }, 10000, [1, 0.1, 0.01, 0.001], 1 },
        {
            new() { Scaling = RopeScalingType.Yarn, Factor = 4, OriginalContext = 4096 }, 10000,
            [1, 0.31622776601683794, 0.1, 0.02569350598886808, 0.00625, 0.001383496476323666, 0.00025, 7.905694150420948e-05], 1.138629436111989
        },
        {
            new() { Scaling = RopeScalingType.Llama3, Factor = 8, OriginalContext = 8192 }, 500000,
            [
                1, 0.19392274474868576, 0.03760603093086393, 0.007292664737217109, 0.0005248461609929547, 3.428102195952591e-05,
                6.647869871181235e-06, 1.2891731721515574e-06,
            ],
            1
        },
    };

    [Theory]
    [MemberData(nameof(Frequencies))]
    public void Options_give_the_published_frequencies_and_the_reference_the_same(RopeOptions options, double theta, double[] expected, double magnitude)
    {
        MemoryModelFile file = TinyFamily.Create("llama", experts: 0);
        file.Set("llama.rope.dimension_count", 2 * expected.Length);
        using Model model = Load(file, options with { FrequencyBase = theta });
        RotaryEmbedding rope = model.Transformer.Ropes[0];
        double[] frequencies = rope.Scaling.Frequencies(rope.Theta, expected.Length);
        var reference = new Rotation(rope);

        for (int pair = 0; pair < expected.Length; pair++)
        {
            Assert.Equal(1, frequencies[pair] / expected[pair], 1e-14);
            Assert.Equal(1, reference.Frequencies[pair] / expected[pair], 1e-14);
        }

        Assert.Equal(magnitude, rope.Scaling.Magnitude, 1e-14);
        Assert.Equal(magnitude, reference.Magnitude, 1e-14);
    }

    public static TheoryData<RopeOptions, string> Twins => new()
    {
        { new() { Factor = 4 }, "type=linear factor=4.0" },
        { new() { Scaling = RopeScalingType.Linear, Factor = 4 }, "type=linear factor=4.0" },
        { new() { Scaling = RopeScalingType.Dynamic, Factor = 2, Context = 4096 }, "type=dynamic factor=2.0" },
        {
            new() { Scaling = RopeScalingType.Yarn, Factor = 8, OriginalContext = 16, YarnAttentionFactor = 0.875, YarnBetaFast = 16, YarnBetaSlow = 2 },
            "type=yarn factor=8.0 original_context_length=16 attn_factor=0.875 yarn_beta_fast=16.0 yarn_beta_slow=2.0"
        },
        {
            new() { Scaling = RopeScalingType.Llama3, Factor = 8, OriginalContext = 64 },
            "type=llama3 factor=8.0 original_context_length=64 low_freq_factor=1.0 high_freq_factor=4.0"
        },
    };

    [Theory]
    [MemberData(nameof(Twins))]
    public void Options_give_the_bits_of_a_file_that_says_the_same(RopeOptions options, string keys)
    {
        MemoryModelFile twin = TinyFamily.Create("llama", experts: 0);
        foreach (string[] pair in keys.Split(' ').Select(pair => pair.Split('=')))
        {
            object value = long.TryParse(pair[1], out long integer) ? integer
                : double.TryParse(pair[1], CultureInfo.InvariantCulture, out double number) ? number
                : pair[1];
            twin.Set($"llama.rope.scaling.{pair[0]}", value);
        }

        using Model expected = Load(twin, new RopeOptions { Context = options.Context });
        using Model model = Load(TinyFamily.Create("llama", experts: 0), options);
        using Model plain = Load(TinyFamily.Create("llama", experts: 0), new RopeOptions());

        float[] logits = Run.Logits(model, Tokens);
        Assert.Equal(Run.Logits(expected, Tokens), logits);
        Assert.Equal(logits, Run.Logits(model, Tokens, chunk: 5));
        Assert.NotEqual(Run.Logits(plain, Tokens), logits);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("deepseek2")]
    [InlineData("gemma3")]
    public void Every_scaling_agrees_with_double_precision(string family)
    {
        foreach (RopeScalingType scaling in Enum.GetValues<RopeScalingType>())
        {
            double? factor = scaling == RopeScalingType.None ? null : 3;
            using Model model = Load(
                TinyFamily.Create(family), new RopeOptions { Scaling = scaling, Factor = factor, OriginalContext = 16, FrequencyBase = 2e4 });
            IReadOnlyList<double[]> exact = new ReferenceModel(model).Logits(Tokens.AsSpan(0, 16), trace: null, TestContext.Current.CancellationToken);
            double nmse = Golden.Nmse(Run.Logits(model, Tokens.AsSpan(0, 16)), [.. exact.SelectMany(row => row.Select(logit => (float)logit))]);
            Assert.True(nmse <= 1e-9, $"{scaling}: NMSE {nmse:e2} is above 1e-9");
        }
    }

    [Fact]
    public void A_files_scaling_can_be_taken_away()
    {
        MemoryModelFile scaled = TinyFamily.Create("llama", experts: 0);
        scaled.Set("llama.rope.scaling.type", "linear");
        scaled.Set("llama.rope.scaling.factor", 4.0);
        using Model without = Load(scaled, new RopeOptions { Scaling = RopeScalingType.None });
        using Model plain = Load(TinyFamily.Create("llama", experts: 0), new RopeOptions());
        Assert.Equal(Run.Logits(plain, Tokens), Run.Logits(without, Tokens));
    }

    [Fact]
    public void The_context_grows_by_the_factor()
    {
        Assert.Equal(1024, Context(new()));
        Assert.Equal(1024, Context(new() { FrequencyBase = 1e6 }));
        Assert.Equal(4096, Context(new() { Factor = 4 }));
        Assert.Equal(2560, Context(new() { Scaling = RopeScalingType.Ntk, Factor = 2.5 }));
        Assert.Equal(2048, Context(new() { Scaling = RopeScalingType.Yarn, Factor = 4, OriginalContext = 512 }));
        Assert.Equal(512, Context(new() { Scaling = RopeScalingType.None, OriginalContext = 512 }));
        Assert.Equal(2048, Context(new() { Scaling = RopeScalingType.Dynamic, Factor = 2 }));
        Assert.Equal(5000, Context(new() { Scaling = RopeScalingType.Dynamic, Context = 5000 }));
        Assert.Equal(1024, Context(new() { Scaling = RopeScalingType.Dynamic, Context = 100 }));

        static int Context(RopeOptions options)
        {
            using Model model = Load(TinyFamily.Create("llama", experts: 0), options);
            return model.Info.ContextLength;
        }
    }

    /// <summary>transformers takes the length of the moment; where it is the declared one, or within the original context, both agree.</summary>
    [Fact]
    public void A_dynamic_file_is_as_trained_until_a_longer_context_is_declared()
    {
        using Model plain = Load(TinyFamily.Create("llama", experts: 0), new RopeOptions());
        using Model dynamic = Load(Dynamic(), new RopeOptions());
        using Model declared = Load(Dynamic(), new RopeOptions { Context = 2048 });
        float[] logits = Run.Logits(plain, Tokens);
        Assert.Equal(logits, Run.Logits(dynamic, Tokens));
        Assert.NotEqual(logits, Run.Logits(declared, Tokens));
        Assert.Equal(2048, declared.Info.ContextLength);
        Assert.Equal(new RotaryScaling.Dynamic(2, 1024, 2048), declared.Transformer.Ropes[0].Scaling);

        static MemoryModelFile Dynamic()
        {
            MemoryModelFile file = TinyFamily.Create("llama", experts: 0);
            file.Set("llama.rope.scaling.type", "dynamic");
            file.Set("llama.rope.scaling.factor", 2.0);
            return file;
        }
    }

    public static TheoryData<RopeOptions, string> Refused => new()
    {
        { new() { Scaling = RopeScalingType.None, Factor = 2 }, "without scaling" },
        { new() { Scaling = RopeScalingType.Yarn }, "--rope-scale" },
        { new() { Scaling = RopeScalingType.Dynamic }, "--rope-scale" },
        { new() { Factor = 0 }, "factor" },
        { new() { Factor = double.NaN }, "factor" },
        { new() { Factor = double.PositiveInfinity }, "factor" },
        { new() { FrequencyBase = 1 }, "base" },
        { new() { OriginalContext = 0 }, "original context" },
        { new() { OriginalContext = 512 }, "original context" },
        { new() { Context = -1 }, "context" },
        { new() { Factor = 2, YarnBetaFast = 32 }, "YaRN" },
        { new() { Scaling = RopeScalingType.Ntk, Factor = 2, YarnAttentionFactor = 1 }, "YaRN" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_cannot_be_is_said_in_one_sentence(RopeOptions options, string fact)
    {
        using MemoryModelFile file = TinyFamily.Create("llama", experts: 0);
        string message = Assert.Throws<InvalidRequestException>(() => Load(file, options)).Message;
        Assert.Contains(fact, message, StringComparison.Ordinal);
        Assert.EndsWith(".", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Factors_per_frequency_are_replaced_only_by_a_named_scaling()
    {
        using Model replaced = Load(WithFactors(), new RopeOptions { Scaling = RopeScalingType.Linear, Factor = 2 });
        Assert.Equal(new RotaryScaling.Linear(2), replaced.Transformer.Ropes[0].Scaling);
        using Model kept = Load(WithFactors(), new RopeOptions { FrequencyBase = 5e5 });
        Assert.IsType<RotaryScaling.PerPair>(kept.Transformer.Ropes[0].Scaling);
        using MemoryModelFile file = WithFactors();
        Assert.Contains("--rope-scaling", Assert.Throws<InvalidRequestException>(() => Load(file, new RopeOptions { Factor = 2 })).Message, StringComparison.Ordinal);

        static MemoryModelFile WithFactors()
        {
            MemoryModelFile file = TinyFamily.Create("llama", experts: 0);
            var factors = new AlignedBuffer<byte>(32 * sizeof(float));
            MemoryMarshal.Cast<byte, float>(factors.Span).Fill(2);
            file.Add("rope_freqs.weight", ElementType.F32, [32], factors);
            return file;
        }
    }

    private static Model Load(MemoryModelFile file, RopeOptions options) => Model.Load(
        file,
        new ModelOptions { Threads = 1, MaxBatchRows = 32, Activations = ActivationType.F32, CacheType = CacheType.F32, Rope = options });
}
