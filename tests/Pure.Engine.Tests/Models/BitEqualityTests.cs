using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>
/// The promise of the numeric contract on whole models: the logits' bits depend on neither threads, instruction set, chunks nor company.
/// </summary>
public class BitEqualityTests(ITestOutputHelper output)
{
    public static TheoryData<string, ActivationType, CacheType> Cases
    {
        get
        {
            var cases = new TheoryData<string, ActivationType, CacheType>();
            foreach (string name in (string[])
                ["llama-gqa", "llama-mixtral", "deepseek2-lite-split", "deepseek2-v3-kvb", "llama-q256-Q4_K_M",
                 "llama-d64-F16", "llama-d64-BF16", "gpt-oss", "qwen2moe", "olmoe", "qwen3moe-q256-Q4_K_M",
                 "llama-q256-Q4_0", "llama-q256-Q8_0", "deepseek2-v3-q256-Q6_K", "deepseek2-v3-q256-Q8_0",
                 "llama-q256-IQ4_XS", "deepseek2-v3-q256-Q2_K", "deepseek2-v3-q256-IQ4_XS", "deepseek2-v3-q256-Q4_K_M", "qwen3moe-q256-MXFP4_MOE"])
            {
                cases.Add(name, ActivationType.Q8, CacheType.F16);
                if (name.Contains("-Q", StringComparison.Ordinal))
                    cases.Add(name, ActivationType.F32, CacheType.F32);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Any_number_of_threads_gives_the_same_bits(string name, ActivationType activations, CacheType cache)
    {
        Golden golden = Golden.Open(name);
        string[] hashes = [.. new[] { 1, 2, 3, 5 }.Select(threads => Hash(golden, new() { Threads = threads, Activations = activations, CacheType = cache }))];
        Assert.Single(hashes.Distinct());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Any_instruction_set_gives_the_same_bits(string name, ActivationType activations, CacheType cache)
    {
        foreach (Isa isa in Enum.GetValues<Isa>().Except(KernelSet.Supported))
            output.WriteLine($"{isa} is left out: this processor lacks it, or it is switched off");
        Golden golden = Golden.Open(name);
        string[] hashes = [.. KernelSet.Supported.Select(isa => Hash(golden, new() { Isa = isa, Activations = activations, CacheType = cache }))];
        Assert.Single(hashes.Distinct());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Prefill_in_chunks_gives_the_same_bits(string name, ActivationType activations, CacheType cache)
    {
        Golden golden = Golden.Open(name);
        var options = new ModelOptions { Activations = activations, CacheType = cache };
        string[] hashes = [.. new[] { 1, 7, 64, int.MaxValue }.Select(chunk => Hash(golden, options, chunk))];
        Assert.Single(hashes.Distinct());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_sequence_gives_the_same_bits_alone_and_among_fifteen_others(string name, ActivationType activations, CacheType cache)
    {
        Golden golden = Golden.Open(name);
        using var model = Model.Load(golden.ModelPath, new ModelOptions { Activations = activations, CacheType = cache });
        float[] alone = Run.Logits(model, golden.Tokens);
        for (int seed = 0; seed < 3; seed++)
            Assert.Equal(alone, InCompany(model, golden.Tokens, companions: 15, seed));
    }

    /// <summary>Long enough that attention runs over several spans.</summary>
    [Theory]
    [InlineData("llama-gqa")]
    [InlineData("deepseek2-v3-kvb")]
    public void Several_attention_spans_give_the_same_bits_in_chunks_threads_and_instruction_sets(string name)
    {
        Golden golden = Golden.Open(name);
        var random = new Random(20);
        int[] tokens = [.. Enumerable.Range(0, (2 * Layers.SpanAttention.SpanPositions) - 70).Select(_ => random.Next(golden.Vocabulary))];
        string whole = Hash(golden, new() { Threads = 1 }, int.MaxValue, tokens);
        Assert.Equal(whole, Hash(golden, new() { Threads = 3 }, 7, tokens));
        Assert.Equal(whole, Hash(golden, new() { Threads = 2 }, 64, tokens));
        Assert.Equal(whole, Hash(golden, new() { Isa = Isa.Scalar }, 100, tokens));
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
        var batch = new Batch(256);
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

    private static string Hash(Golden golden, ModelOptions options, int chunk = int.MaxValue, int[]? tokens = null)
    {
        using var model = Model.Load(golden.ModelPath, options);
        float[] logits = Run.Logits(model, tokens ?? golden.Tokens, chunk);
        return Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(logits.AsSpan())));
    }
}
