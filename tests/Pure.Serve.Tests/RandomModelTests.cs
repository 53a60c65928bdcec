using System.Security.Cryptography;
using Pure.Chat;
using Pure.Engine.Formats;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Serve.Benchmark;

namespace Pure.Serve.Tests;

/// <summary>Models of random weights, made small.</summary>
public sealed class RandomModelTests
{
    private static readonly ModelShape[] Small =
    [
        ModelShape.Dense1B with { Embedding = 256, Layers = 8, Heads = 4, KvHeads = 2, Hidden = 768, Vocabulary = 1000 },
        ModelShape.MlaMoe with
        {
            Embedding = 256, Layers = 3, Heads = 2, KvHeads = 2, Hidden = 352, QueryRank = 256, LatentSize = 256, Experts = 16, ExpertHidden = 96, Vocabulary = 1000,
        },
        ModelShape.Qwen3Moe with { Embedding = 256, Layers = 3, Heads = 4, KvHeads = 2, HeadSize = 64, Experts = 16, ExpertHidden = 256, Vocabulary = 1000 },
    ];

    public static TheoryData<string> Mixes => [.. WeightMix.All.Select(mix => mix.Name)];

    public static TheoryData<string, string> ShapesAndMixes
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (ModelShape shape in Small)
            {
                foreach (string mix in (string[])["F16", "Q8_0", "Q4_0", "Q4_K_M", "Q4_K", "Q6_K"])
                    data.Add(shape.Name, mix);
            }

            return data;
        }
    }

    [Fact]
    public void The_shapes_have_the_parameters_of_the_models_they_are_named_for()
    {
        Assert.Equal(1_100_048_384, Parameters(ModelShape.Dense1B));
        Assert.Equal(3_145_766_912, Parameters(ModelShape.MlaMoe));
        Assert.Equal(2_545_971_200, Parameters(ModelShape.Qwen3Moe));
    }

    [Theory, MemberData(nameof(ShapesAndMixes))]
    public void Logits_are_finite_and_tokens_are_told_apart(string shape, string mix)
    {
        using Model model = Load(shape, mix, seed: 1);

        Assert.Equal(Parameters(Find(shape)), model.Info.Parameters);
        float[] one = Logits(model, 3, 4, 5);
        float[] other = Logits(model, 3, 4, 6);
        Assert.All(one, logit => Assert.True(float.IsFinite(logit)));
        Assert.InRange(Deviation(one), 0.2, 5);
        Assert.InRange(Correlation(one, other), -1, 0.9);
    }

    [Fact]
    public void A_mixtures_tokens_go_to_most_experts()
    {
        using Model model = Load("qwen3-moe", "Q4_0", seed: 1);
        var trace = new Trace();
        using KvCache cache = model.CreateCache(64);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(64);
        for (int token = 0; token < 64; token++)
            batch.Add(sequence, token, wantsLogits: false);
        model.Forward(batch, trace);

        TracedTensor logits = trace[$"blk.{Find("qwen3-moe").Layers - 1}.router_logits"];
        var favourites = new HashSet<int>();
        for (int row = 0; row < logits.Rows; row++)
            favourites.Add(logits[row].IndexOf(logits[row].ToArray().Max()));
        Assert.InRange(favourites.Count, logits.Columns / 2, logits.Columns);
    }

    [Theory, MemberData(nameof(Mixes))]
    public void Weights_have_the_deviation_that_keeps_values_in_bounds(string mix)
    {
        using GgufFile file = GgufFile.Open(RandomModel.Create(Small[0], Mix(mix), seed: 1), "made");
        foreach (string name in (string[])["token_embd.weight", "blk.1.ffn_down.weight", "output.weight"])
        {
            Assert.True(file.TryGetTensor(name, out Tensor? tensor));
            float[] values = new float[tensor.Count];
            ElementFormat.Of(tensor.Type).Dequantize(tensor.Data, values);
            double wanted = name == "token_embd.weight" ? 1 : 1 / Math.Sqrt(tensor.Shape[^1]);
            Assert.InRange(Deviation(values) / wanted, 0.7, 1.4); // MXFP4's scales are powers of two
            Assert.InRange(values.Average() / wanted, -0.03, 0.03);
        }
    }

    [Fact]
    public void The_seed_decides_every_bit_and_nothing_else_does()
    {
        byte[] once = Hash(seed: 1);

        Assert.Equal(once, Hash(seed: 1));
        Assert.NotEqual(once, Hash(seed: 2));
        Assert.StartsWith("09F3B3B5", Convert.ToHexString(once), StringComparison.Ordinal); // the same on every machine

        static byte[] Hash(ulong seed)
        {
            using var bytes = new MemoryStream();
            RandomModel.Create(Small[1], Mix("Q4_K_M"), seed).Write(bytes);
            return SHA256.HashData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        }
    }

    [Fact]
    public void Medium_four_bit_files_have_six_bits_where_the_public_recipe_has_them()
    {
        using GgufFile file = GgufFile.Open(RandomModel.Create(Small[0], Mix("Q4_K_M"), seed: 1), "made");

        Assert.Equal(ElementType.Q4_K, Type("token_embd.weight"));
        Assert.Equal(ElementType.Q6_K, Type("output.weight"));
        Assert.Equal(ElementType.F32, Type("blk.0.attn_norm.weight"));
        int[] more = [.. Enumerable.Range(0, 8).Where(layer => Type($"blk.{layer}.ffn_down.weight") == ElementType.Q6_K)];
        Assert.Equal([0, 3, 6, 7], more);
        Assert.Equal(more, Enumerable.Range(0, 8).Where(layer => Type($"blk.{layer}.attn_v.weight") == ElementType.Q6_K));
        Assert.Equal(ElementType.Q4_K, Type("blk.0.attn_k.weight"));

        ElementType Type(string name) => file.TryGetTensor(name, out Tensor? tensor) ? tensor.Type : throw new KeyNotFoundException(name);
    }

    [Fact]
    public void The_vocabulary_spells_any_text()
    {
        using GgufFile file = GgufFile.Open(RandomModel.Create(Small[0], Mix("Q8_0"), seed: 1), "made");
        var tokenizer = ModelTokenizer.Create(file);
        const string text = "the naïve 犬 sat\n\0";
        var ids = new List<int>();
        tokenizer.Encode(text, ids, addSpecial: true, parseSpecial: false);

        Assert.Equal(0, ids[0]);
        Assert.True(ids.Count < System.Text.Encoding.UTF8.GetByteCount(text));
        Assert.Equal(text, tokenizer.Decode([.. ids.Skip(1)]));
    }

    private static ModelShape Find(string name) => Small.First(shape => shape.Name == name);

    private static WeightMix Mix(string name) => WeightMix.All.First(mix => mix.Name == name);

    private static Model Load(string shape, string mix, ulong seed) =>
        Model.Load(GgufFile.Open(RandomModel.Create(Find(shape), Mix(mix), seed), "made"), new ModelOptions { Threads = 2 });

    private static long Parameters(ModelShape shape) =>
        shape.Tensors().Sum(tensor => tensor.Sizes.Aggregate(1L, (product, size) => product * size));

    private static float[] Logits(Model model, params int[] ids)
    {
        using KvCache cache = model.CreateCache(ids.Length);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(ids.Length);
        foreach (int id in ids)
            batch.Add(sequence, id, wantsLogits: id == ids[^1]);
        return model.Forward(batch)[0].ToArray();
    }

    private static double Deviation(float[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    private static double Correlation(float[] left, float[] right)
    {
        double leftMean = left.Average(), rightMean = right.Average();
        return left.Zip(right, (a, b) => (a - leftMean) * (b - rightMean)).Average() / Deviation(left) / Deviation(right);
    }
}
