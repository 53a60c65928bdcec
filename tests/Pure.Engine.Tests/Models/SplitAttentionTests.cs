using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Threading;

namespace Pure.Engine.Tests.Models;

/// <summary>Attention whose spans are taken by different threads gives the bits of one thread that goes from left to right.</summary>
public class SplitAttentionTests
{
    // Five spans, the last one short.
    private const int Depth = (4 * SpanAttention.SpanPositions) + 70;
    private const int Rows = 64;

    /// <summary>Grouped-query attention, latent attention, and sinks with a window that ends within a span.</summary>
    [Theory]
    [InlineData("llama", CacheType.F16)]
    [InlineData("llama", CacheType.Q8_0)]
    [InlineData("deepseek2", CacheType.F16)]
    [InlineData("deepseek2", CacheType.F32)]
    [InlineData("gpt-oss", CacheType.BF16)]
    [InlineData("llama", CacheType.Q8_0, CacheType.Q4_0)]
    [InlineData("llama", CacheType.F16, CacheType.Q8_0)]
    [InlineData("gpt-oss", CacheType.Q4_0, CacheType.BF16)]
    public void Any_number_of_threads_gives_the_same_bits_over_several_spans(string family, CacheType keys, CacheType? values = null)
    {
        var options = new ModelOptions { Threads = 1, CacheType = keys, ValueCacheType = values, MaxBatchRows = Rows };
        float[] expected = Logits(family, options);
        foreach (int threads in (int[])[2, 3, 5, 16])
            Assert.Equal(expected, Logits(family, options with { Threads = threads }));
        Assert.Equal(expected, Logits(family, options with { Threads = 3, Emit = false }));
        foreach (Isa isa in KernelSet.Supported)
            Assert.Equal(expected, Logits(family, options with { Threads = 3, Isa = isa }));
        if (values is not null && values != keys)
            Assert.NotEqual(expected, Logits(family, options with { ValueCacheType = null }));
    }

    /// <summary>Without this, a split that never happened would pass every other test.</summary>
    [Fact]
    public void Work_is_cut_by_spans_where_rows_and_heads_do_not_keep_the_threads_busy()
    {
        using Model model = Open("llama", new ModelOptions { Threads = 1, MaxBatchRows = 512 });
        using KvCache cache = model.CreateCache(4 * Depth);
        using Sequence sequence = cache.CreateSequence();
        using var one = new Cpu(KernelSet.Select(), new WorkerPool(1), ActivationType.Q8, repacks: false);
        using var four = new Cpu(KernelSet.Select(), new WorkerPool(4), ActivationType.Q8, repacks: false);
        Read(model, sequence, Depth);

        var batch = new Batch(512);
        batch.Add(sequence, 1, wantsLogits: true);
        var step = new Step(batch, 0);
        Assert.True(SplitAttention.Pays(four, step, heads: 32, together: 8, window: 0));
        Assert.True(SplitAttention.Pays(four, step, heads: 32, together: 8, window: Depth));
        Assert.False(SplitAttention.Pays(four, step, heads: 32, together: 1, window: 0));
        Assert.False(SplitAttention.Pays(four, step, heads: 32, together: 8, window: 512));
        Assert.False(SplitAttention.Pays(one, step, heads: 32, together: 8, window: 0));
        for (int row = 1; row < 512; row++)
            batch.Add(sequence, 1, wantsLogits: false);
        Assert.False(SplitAttention.Pays(four, step, heads: 32, together: 8, window: 0));
    }

    /// <summary>
    /// One row after a long past; then five sequences of that past with a dozen rows each, whose spans pass what is kept between two
    /// merges; then short and long ones together.
    /// </summary>
    private static float[] Logits(string family, ModelOptions options)
    {
        using Model model = Open(family, options);
        using KvCache cache = model.CreateCache(3 * Depth);
        using Sequence past = cache.CreateSequence();
        using Sequence young = cache.CreateSequence();
        Read(model, past, Depth);
        Sequence[] forks = [.. Enumerable.Range(0, 5).Select(_ => past.Fork())];
        var logits = new List<float>();
        var batch = new Batch(Rows);
        batch.Add(past, 7, wantsLogits: true);
        Forward();
        foreach (Sequence fork in forks)
        {
            for (int i = 0; i < 12; i++)
                batch.Add(fork, i, wantsLogits: true);
        }

        Forward();
        foreach (Sequence sequence in (Sequence[])[forks[0], young, forks[1], past])
        {
            for (int i = 0; i < 3; i++)
                batch.Add(sequence, i, wantsLogits: true);
        }

        Forward();
        foreach (Sequence fork in forks)
            fork.Dispose();
        return [.. logits];

        void Forward()
        {
            Logits rows = model.Forward(batch);
            for (int row = 0; row < rows.Count; row++)
                logits.AddRange(rows[row]);
            batch.Clear();
        }
    }

    private static void Read(Model model, Sequence sequence, int tokens)
    {
        var random = new Random(tokens);
        var batch = new Batch(Rows);
        while (sequence.Length < tokens)
        {
            batch.Clear();
            for (int left = tokens - sequence.Length; left > 0 && batch.Count < Rows; left--)
                batch.Add(sequence, random.Next(TinyFamily.Vocabulary), wantsLogits: false);
            model.Forward(batch);
        }
    }

    private static Model Open(string family, ModelOptions options)
    {
        MemoryModelFile file = TinyFamily.Create(family, ElementType.Q8_0);
        file.Set($"{family}.context_length", 8192);
        if (family == "gpt-oss")
            file.Set($"{family}.attention.sliding_window", Depth - 100);
        return Model.Load(file, options);
    }
}
