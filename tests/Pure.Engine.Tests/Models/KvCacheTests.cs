using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

public class KvCacheTests
{
    [Fact]
    public void Blocks_come_back_when_sequences_end()
    {
        using var cache = new KvCache(new CacheShape(2, 8), CacheType.F32, 3 * KvCache.BlockPositions);
        Sequence sequence = cache.CreateSequence();
        sequence.Reserve(KvCache.BlockPositions + 1);
        sequence.Advance(KvCache.BlockPositions + 1);
        Assert.Equal(1, cache.FreeBlocks);
        sequence.Truncate(KvCache.BlockPositions);
        Assert.Equal(2, cache.FreeBlocks);
        sequence.Dispose();
        sequence.Dispose();
        Assert.Equal(3, cache.FreeBlocks);
        Assert.Throws<ObjectDisposedException>(() => sequence.Reserve(1));
    }

    [Theory]
    [InlineData("latent")]
    [InlineData("heads")]
    public void A_fork_shares_blocks_until_one_of_the_two_writes(string attention)
    {
        using Model model = (attention == "latent" ? TinyModel.DeepSeek2() : TinyModel.Llama()).Load();
        using KvCache cache = model.CreateCache(10 * KvCache.BlockPositions);
        using Sequence trunk = cache.CreateSequence();
        Feed(model, trunk, [1, 2, 3, 4, 5]);
        int free = cache.FreeBlocks;
        using Sequence fork = trunk.Fork();
        Assert.Equal(free, cache.FreeBlocks);

        float[] forked = Feed(model, fork, [6, 7]);
        Assert.Equal(free - 1, cache.FreeBlocks);
        float[] trunked = Feed(model, trunk, [8, 9]);
        Assert.Equal(Run.Logits(model, [1, 2, 3, 4, 5, 6, 7])[^20..], forked);
        Assert.Equal(Run.Logits(model, [1, 2, 3, 4, 5, 8, 9])[^20..], trunked);
    }

    [Fact]
    public void A_truncated_sequence_goes_on_as_if_the_rest_had_never_been()
    {
        using Model model = TinyModel.Llama().Load();
        using KvCache cache = model.CreateCache(64);
        using Sequence sequence = cache.CreateSequence();
        Feed(model, sequence, [1, 2, 3, 4, 5]);
        sequence.Truncate(2);
        Assert.Equal(Run.Logits(model, [1, 2, 9])[^20..], Feed(model, sequence, [9]));
    }

    [Fact]
    public void An_embedding_row_acts_as_the_token_whose_embedding_it_is()
    {
        TinyModel tiny = TinyModel.Llama();
        tiny.Values["token_embd.weight"] = [.. Enumerable.Range(0, 20 * 16).Select(i => MathF.Sin(i))];
        using Model model = tiny.Load();
        using KvCache cache = model.CreateCache(8);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(2);
        batch.Add(sequence, 3, wantsLogits: false);
        batch.Add(sequence, tiny.Values["token_embd.weight"].AsMemory(5 * 16, 16), wantsLogits: true);
        Assert.Equal(Run.Logits(model, [3, 5])[^20..], model.Forward(batch)[0].ToArray());
    }

    [Fact]
    public void A_latent_cache_holds_the_latent_and_the_rotary_key_only()
    {
        using Model model = TinyModel.DeepSeek2().Load();
        Assert.Equal(new CacheShape(Layers: 2, Columns: 10 + 4, Unit: 2), model.CacheShape);
        Assert.Equal(2 * 14 * 2, model.CacheShape.BytesPerPosition(CacheType.F16));
    }

    [Theory]
    [InlineData(CacheType.F32, 96 * 4)]
    [InlineData(CacheType.F16, 96 * 2)]
    [InlineData(CacheType.BF16, 96 * 2)]
    [InlineData(CacheType.Q8_0, 3 * 34)]
    [InlineData(CacheType.Q4_0, 3 * 18)]
    public void A_position_costs_what_its_type_needs(CacheType type, int bytesPerLayer) =>
        Assert.Equal(5 * bytesPerLayer, new CacheShape(Layers: 5, Columns: 96, Unit: 32).BytesPerPosition(type));

    [Fact]
    public void Keys_and_values_cost_what_each_of_their_types_needs() => Assert.Equal(
        5 * ((3 * 34) + (2 * 18)),
        new CacheShape(Layers: 5, Columns: 96 + 64, Unit: 32, ValueColumns: 64).BytesPerPosition(CacheType.Q8_0, CacheType.Q4_0));

    [Fact]
    public void A_latent_of_two_types_is_refused()
    {
        using Model model = TinyModel.DeepSeek2().Load(new ModelOptions { Threads = 1, ValueCacheType = CacheType.BF16 });
        Assert.Equal(
            "This model keeps keys and values as one latent, which has one type, but f16 keys and bf16 values were asked for; use --kv-type.",
            Assert.Throws<InvalidRequestException>(() => model.CreateCache(1)).Message);
    }

    [Fact]
    public void What_is_stored_can_be_moved_to_another_cache()
    {
        var shape = new CacheShape(Layers: 1, Columns: 2 * (64 + 32), Unit: 32, ValueColumns: 2 * 32, Heads: 2);
        using var from = new KvCache(shape, CacheType.Q8_0, 64, CacheType.F16);
        using var to = new KvCache(shape, CacheType.Q8_0, 64, CacheType.F16);
        float[] row = [.. Enumerable.Range(0, shape.Columns).Select(i => i / 7f)];
        from.Write(0, 0, 3, row);
        for (int part = 0; part < from.Parts; part++)
            from.Stored(0, 0, part, 3, 1).CopyTo(to.Stored(0, 0, part, 5, 1));
        foreach ((int first, int columns) in (ReadOnlySpan<(int, int)>)[(0, 64), (96, 32), (128, 32), (160, 32)])
        {
            var expected = new float[columns];
            var actual = new float[columns];
            KernelSet kernels = KernelSet.Select(Isa.Scalar);
            kernels.Widen(from.Read(0, 0, 3, 1, first, columns), expected);
            kernels.Widen(to.Read(0, 0, 5, 1, first, columns), actual);
            Assert.Equal(expected, actual);
            Assert.Equal(row[first + columns - 1], actual[^1], 0.1);
        }
    }

    [Theory]
    [InlineData(CacheType.Q8_0)]
    [InlineData(CacheType.Q4_0)]
    public void Heads_that_are_no_whole_blocks_are_refused_with_the_types_that_work(CacheType type)
    {
        using Model model = TinyModel.Llama().Load(new ModelOptions { Threads = 1, CacheType = type });
        string[] messages =
        [
            Assert.Throws<InvalidRequestException>(() => model.CreateCache(1)).Message,
            Assert.Throws<InvalidRequestException>(() => model.CacheShape.BytesPerPosition(type)).Message,
        ];
        foreach (string message in messages)
        {
            Assert.Contains($"blocks of 32 ({type.Word()})", message, StringComparison.Ordinal);
            Assert.EndsWith("use --kv-type f16, f32, bf16.", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(CacheType.F16)]
    [InlineData(CacheType.BF16)]
    [InlineData(CacheType.Q8_0)]
    [InlineData(CacheType.Q4_0)]
    public void A_fork_of_a_cache_of_any_type_goes_on_as_if_alone(CacheType type)
    {
        using var model = Model.Load(TinyFamily.Create("qwen3"), new ModelOptions { Threads = 1, CacheType = type, MaxBatchRows = 80 });
        int[] prompt = [.. Enumerable.Range(0, KvCache.BlockPositions + 5).Select(i => i % TinyFamily.Vocabulary)];
        using KvCache cache = model.CreateCache(4 * KvCache.BlockPositions);
        using Sequence trunk = cache.CreateSequence();
        Feed(model, trunk, prompt);
        using Sequence fork = trunk.Fork();
        float[] forked = Feed(model, fork, [6, 7]);
        float[] trunked = Feed(model, trunk, [8, 9]);
        Assert.Equal(Run.Logits(model, [.. prompt, 6, 7])[^TinyFamily.Vocabulary..], forked);
        Assert.Equal(Run.Logits(model, [.. prompt, 8, 9])[^TinyFamily.Vocabulary..], trunked);
    }

    private static float[] Feed(Model model, Sequence sequence, int[] tokens)
    {
        var batch = new Batch(tokens.Length);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(sequence, tokens[i], wantsLogits: i == tokens.Length - 1);
        return model.Forward(batch)[0].ToArray();
    }
}
