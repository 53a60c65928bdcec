using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Models;

/// <summary>
/// The promise of the numeric contract on whole models: the logits' bits depend on neither threads, instruction set, chunks nor company.
/// </summary>
public class BitEqualityTests(ITestOutputHelper output)
{
    // Families whose layers between them hold every type in every place: grouped-query and latent attention, networks and experts.
    private static readonly string[] FamiliesOfEveryType = ["llama", "deepseek2"];

    // Of a batch in company: 15 others with up to 3 rows each, and our 5.
    private const int MostRows = 64;

    private static readonly string[] Goldens =
    [
        "llama-gqa", "llama-mixtral", "deepseek2-lite-split", "deepseek2-v3-kvb", "gpt-oss", "qwen2moe", "olmoe", "llama-d64-F16",
        "llama-d64-BF16", "llama-q256-Q4_0", "llama-q256-Q4_K_M", "llama-q256-Q8_0", "llama-q256-IQ4_XS", "deepseek2-v3-q256-Q2_K",
        "deepseek2-v3-q256-Q4_K_M", "deepseek2-v3-q256-Q6_K", "deepseek2-v3-q256-Q8_0", "deepseek2-v3-q256-IQ4_XS",
        "qwen3moe-q256-Q4_K_M", "qwen3moe-q256-MXFP4_MOE",
    ];

    /// <summary>
    /// Goldens by name; tiny models as family/type/experts: every family in floats and in quantised blocks, every mixture with 2 of 8
    /// and 2 of 16 experts, every element type.
    /// </summary>
    public static TheoryData<string, ActivationType, CacheType> Cases
    {
        get
        {
            string[] tiny =
            [
                .. Family.Names.SelectMany(family => new[] { $"{family}/F32/8", $"{family}/Q4_K/16" }),
                .. Enum.GetValues<ElementType>().SelectMany(type => FamiliesOfEveryType.Select(family => $"{family}/{type}/8")),
                "llama/F32/0",
            ];
            var cases = new TheoryData<string, ActivationType, CacheType>();
            foreach (string name in Goldens.Concat(tiny).Distinct())
            {
                cases.Add(name, ActivationType.Q8, CacheType.F16);
                if (IsQuantised(name))
                    cases.Add(name, ActivationType.F32, CacheType.F32);
            }

            return cases;
        }
    }

    /// <summary>Fails where a new family or element type is left out of what the other tests promise.</summary>
    [Fact]
    public void Every_family_and_element_type_is_among_the_cases()
    {
        string[][] tiny = [.. Cases.Select(row => row.Data.Item1).Where(IsTiny).Select(name => name.Split('/'))];
        Assert.Equal(Family.Names.Order(), tiny.Select(parts => parts[0]).Distinct().Order());
        Assert.Equal(ElementFormat.All.Select(format => format.Name).Order(), tiny.Select(parts => parts[1]).Distinct().Order());
        foreach (string[] parts in tiny.DistinctBy(string.Concat))
        {
            using var model = Open(string.Join('/', parts), new ModelOptions { Threads = 1, MaxBatchRows = 1 });
            Assert.Equal(parts[0], model.Info.Architecture);
            Assert.Contains(model.File.Tensors, tensor => tensor.Type.ToString() == parts[1]);
            foreach (MixtureOfExperts mixture in model.Transformer.Blocks.Select(block => block.FeedForward).OfType<MixtureOfExperts>())
                Assert.Equal((2, int.Parse(parts[2])), (mixture.Shape.Used, mixture.Shape.Experts));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Any_number_of_threads_gives_the_same_bits(string name, ActivationType activations, CacheType cache)
    {
        int[] counts = IsTiny(name) ? [1, 3] : [1, 2, 3, 5];
        string[] hashes = [.. counts.Select(threads => Hash(name, new() { Threads = threads, Activations = activations, CacheType = cache }))];
        Assert.Single(hashes.Distinct());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Any_instruction_set_gives_the_same_bits(string name, ActivationType activations, CacheType cache)
    {
        foreach (Isa isa in Enum.GetValues<Isa>().Except(KernelSet.Supported))
            output.WriteLine($"{isa} is left out: this processor lacks it, or it is switched off");
        string[] hashes = [.. KernelSet.Supported.Select(isa => Hash(name, new() { Isa = isa, Activations = activations, CacheType = cache }))];
        Assert.Single(hashes.Distinct());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Prefill_in_chunks_gives_the_same_bits(string name, ActivationType activations, CacheType cache)
    {
        var options = new ModelOptions { Activations = activations, CacheType = cache };
        int[] chunks = IsTiny(name) ? [1, 7, int.MaxValue] : [1, 7, 64, int.MaxValue];
        string[] hashes = [.. chunks.Select(chunk => Hash(name, options, chunk))];
        Assert.Single(hashes.Distinct());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_sequence_gives_the_same_bits_alone_and_among_fifteen_others(string name, ActivationType activations, CacheType cache)
    {
        int[] tokens = Tokens(name);
        using Model model = Open(name, new ModelOptions { Activations = activations, CacheType = cache });
        float[] alone = Run.Logits(model, tokens);
        for (int seed = 0; seed < (IsTiny(name) ? 1 : 3); seed++)
            Assert.Equal(alone, InCompany(model, tokens, companions: 15, seed));
    }

    /// <summary>Long enough that attention runs over several spans.</summary>
    [Theory]
    [InlineData("llama-gqa")]
    [InlineData("deepseek2-v3-kvb")]
    public void Several_attention_spans_give_the_same_bits_in_chunks_threads_and_instruction_sets(string name)
    {
        Golden golden = Golden.Open(name);
        var random = new Random(20);
        int[] tokens = [.. Enumerable.Range(0, (2 * SpanAttention.SpanPositions) - 70).Select(_ => random.Next(golden.Vocabulary))];
        string whole = Hash(name, new() { Threads = 1 }, int.MaxValue, tokens);
        Assert.Equal(whole, Hash(name, new() { Threads = 3 }, 7, tokens));
        Assert.Equal(whole, Hash(name, new() { Threads = 2 }, 64, tokens));
        Assert.Equal(whole, Hash(name, new() { Isa = Isa.Scalar }, 100, tokens));
    }

    /// <summary>
    /// Models whose heads are whole blocks: grouped, mixed and latent attention, a sliding window, and one query head per key/value head.
    /// </summary>
    public static TheoryData<string, CacheType> CacheTypeCases
    {
        get
        {
            string[] names = ["qwen3", "llama-rope-llama3", "qwen3moe-q256-Q8_0", "deepseek2/Q8_0/8", "gemma3/Q8_0/8"];
            var cases = new TheoryData<string, CacheType>();
            foreach (string name in names)
            {
                foreach (CacheType type in Enum.GetValues<CacheType>())
                    cases.Add(name, type);
            }

            return cases;
        }
    }

    /// <summary>Long enough that attention runs over several spans, one token at a time among the chunks.</summary>
    [Theory]
    [MemberData(nameof(CacheTypeCases))]
    public void A_cache_of_any_type_gives_the_same_bits_in_chunks_threads_instruction_sets_and_company(string name, CacheType cache)
    {
        var random = new Random(21);
        int vocabulary = IsTiny(name) ? TinyFamily.Vocabulary : Golden.Open(name).Vocabulary;
        int[] tokens = [.. Enumerable.Range(0, SpanAttention.SpanPositions + 10).Select(_ => random.Next(vocabulary))];
        string whole = Hash(name, Options(1), MostRows, tokens);
        Assert.Equal(whole, Hash(name, Options(3), 1, tokens));
        Assert.Equal(whole, Hash(name, Options(2) with { Repack = false }, 7, tokens));
        foreach (Isa isa in KernelSet.Supported)
            Assert.Equal(whole, Hash(name, Options(2) with { Isa = isa }, 50, tokens));

        using Model model = Open(name, Options(2));
        int[] start = tokens[..60];
        Assert.Equal(Run.Logits(model, start), InCompany(model, start, companions: 15, seed: 4));

        ModelOptions Options(int threads) => new() { Threads = threads, CacheType = cache };
    }

    /// <summary>
    /// Feeds the sequence in random pieces, in batches that other sequences of random tokens and lengths join and leave.
    /// </summary>
    private static float[] InCompany(Model model, int[] tokens, int companions, int seed)
    {
        var random = new Random(seed);
        int vocabulary = model.Info.VocabularySize;
        using KvCache cache = model.CreateCache((companions + 1) * (tokens.Length + KvCache.BlockPositions));
        using Sequence ours = cache.CreateSequence();
        Sequence[] others = [.. Enumerable.Range(0, companions).Select(_ => cache.CreateSequence())];
        var batch = new Batch(MostRows);
        var logits = new List<float>();
        while (ours.Length < tokens.Length)
        {
            batch.Clear();
            int place = random.Next(companions + 1);
            int piece = Math.Min(random.Next(1, 6), tokens.Length - ours.Length);
            var wanted = new List<bool>();
            for (int index = 0; index <= companions; index++)
            {
                if (index == place)
                {
                    foreach (int token in tokens.AsSpan(ours.Length, piece))
                        Add(ours, token, wantsLogits: true, isOurs: true);
                }

                if (index == companions)
                    break;
                Sequence other = others[index];
                int more = Math.Min(random.Next(0, 4), tokens.Length - other.Length);
                for (int i = 0; i < more; i++)
                    Add(other, random.Next(vocabulary), random.Next(2) == 0, isOurs: false);
                if (random.Next(20) == 0)
                    others[index] = Restart(other, cache, inBatch: more > 0);
            }

            Logits rows = model.Forward(batch);
            for (int row = 0; row < rows.Count; row++)
            {
                if (wanted[row])
                    logits.AddRange(rows[row]);
            }

            void Add(Sequence sequence, int token, bool wantsLogits, bool isOurs)
            {
                batch.Add(sequence, token, wantsLogits);
                if (wantsLogits)
                    wanted.Add(isOurs);
            }
        }

        foreach (Sequence other in others)
            other.Dispose();
        return [.. logits];
    }

    private static Sequence Restart(Sequence sequence, KvCache cache, bool inBatch)
    {
        if (inBatch)
            return sequence;
        sequence.Dispose();
        return cache.CreateSequence();
    }

    private static bool IsTiny(string name) => name.Contains('/');

    private static bool IsQuantised(string name) => IsTiny(name)
        ? ElementFormat.Of(Enum.Parse<ElementType>(name.Split('/')[1])).IsQuantized
        : name.Contains("-Q", StringComparison.Ordinal);

    private static Model Open(string name, ModelOptions options)
    {
        if (!IsTiny(name))
            return Model.Load(Golden.Open(name).ModelPath, options);
        string[] parts = name.Split('/');
        return Model.Load(
            TinyFamily.Create(parts[0], Enum.Parse<ElementType>(parts[1]), int.Parse(parts[2])),
            options with { MaxBatchRows = Math.Min(options.MaxBatchRows, MostRows) });
    }

    private static int[] Tokens(string name)
    {
        if (!IsTiny(name))
            return Golden.Open(name).Tokens;
        var random = new Random(5);
        return [.. Enumerable.Range(0, 12).Select(_ => random.Next(TinyFamily.Vocabulary))];
    }

    private static string Hash(string name, ModelOptions options, int chunk = int.MaxValue, int[]? tokens = null)
    {
        using Model model = Open(name, options);
        float[] logits = Run.Logits(model, tokens ?? Tokens(name), chunk);
        return Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(logits.AsSpan())));
    }
}
