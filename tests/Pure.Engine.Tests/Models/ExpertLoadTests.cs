using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>Which experts rows chose is counted when asked, and only then.</summary>
public sealed class ExpertLoadTests
{
    [Fact]
    public void Every_row_counts_once_for_each_of_its_experts()
    {
        using Model model = TinyModel.DeepSeek2().Load(new ModelOptions { Threads = 2 });
        using KvCache cache = model.CreateCache(64);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(32);
        for (int id = 0; id < 20; id++)
            batch.Add(sequence, id, wantsLogits: false);
        model.Forward(batch);
        Assert.Empty(model.ExpertLoads());

        var trace = new Trace();
        sequence.Truncate(0);
        model.CountExperts();
        model.Forward(batch, trace);
        var expected = new long[8];
        for (int row = 0; row < 20; row++)
        {
            double[] logits = trace["blk.1.router_logits"][row].ToArray();
            foreach (int expert in Enumerable.Range(0, 8).OrderByDescending(expert => logits[expert]).Take(2))
                expected[expert]++;
        }

        ExpertLoad load = Assert.Single(model.ExpertLoads());
        Assert.Equal(1, load.Layer);
        Assert.Equal(expected, load.Rows);
        Assert.Equal(40, load.Total);
        Assert.Equal(expected.Count(rows => rows == 0), load.Unused);
        Assert.Equal(expected.Max() / 40.0, load.LargestShare);
        Assert.Equal(expected.Order().ElementAt(3), load.Median);

        model.CountExperts();
        Assert.Equal(0, Assert.Single(model.ExpertLoads()).Total);
    }
}
