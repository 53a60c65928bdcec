using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>Alone in the process while it runs: the collection is that of the tests of the same name beside the sessions.</summary>
[Collection(nameof(AllocationTests))]
public class AllocationTests
{
    /// <summary>Bytes are counted over all threads, so that the pool's count too.</summary>
    [Theory]
    [InlineData("llama-gqa")]
    [InlineData("llama-mixtral")]
    [InlineData("deepseek2-v3-kvb")]
    [InlineData("llama-q256-Q4_K_M")]
    [InlineData("llama-q256-Q4_K_M", CacheType.Q8_0)]
    [InlineData("llama-rope-llama3", CacheType.Q4_0)]
    [InlineData("qwen3moe-q256-Q4_K_M", CacheType.F16, 4)]
    public void Steady_decoding_allocates_nothing(string name, CacheType cacheType = CacheType.F16, int? expertSlots = null)
    {
        var options = new ModelOptions { Threads = 2, CacheType = cacheType, ExpertSlots = expertSlots, MemoryLimit = expertSlots is null ? null : long.MaxValue };
        using var model = Model.Load(Golden.Open(name).ModelPath, options);
        using KvCache cache = model.CreateCache(400);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(1);
        Decode(100);
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 3; attempt++)
        {
            // The runtime's own threads (tiered compilation) allocate now and then: what repeats is ours.
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Decode(100);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.Equal(0, least);

        void Decode(int tokens)
        {
            for (int i = 0; i < tokens; i++)
            {
                batch.Clear();
                batch.Add(sequence, i % 7, wantsLogits: true);
                model.Forward(batch);
            }
        }
    }
}
