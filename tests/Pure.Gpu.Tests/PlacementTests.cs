using Pure.Engine.Devices;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Serve.Benchmark;

namespace Pure.Gpu.Tests;

/// <summary>Where parts of a model go, what they take there, and several devices.</summary>
public sealed class PlacementTests
{
    private const int Context = 130;

    [Theory, InlineData("qwen"), InlineData("deepseek"), InlineData("split")]
    public void What_is_planned_is_what_is_taken(string name)
    {
        using var plugin = new ModelTests.Counted("emulated");
        using Model model = Load(name, "emulated", plugin);
        using KvCache cache = model.CreateCache(Context);
        GpuDevice device = plugin.Device!;
        DevicePlan plan = model.DevicePlan;

        // The hidden state, its normalised form and a branch's result were there before.
        int rows = model.Options.MaxBatchRows;
        long working = (2L * rows * model.Info.EmbeddingLength * sizeof(float)) + DeviceInput.Bytes(rows, model.Info.EmbeddingLength);
        long taken = device.Queue.AllocatedBytes - working;
        long planned = plan.WeightBytes + plan.CacheBytes + plan.BufferBytes;

        // Norms, and a placeholder where a format lacks an array, are not planned.
        Assert.InRange(taken - planned, 0, (model.Info.Layers * 4096) + 4096);
        Assert.Equal(model.CacheShape.BytesPerPosition(CacheType.F16) * 3 * KvCache.BlockPositions, plan.CacheBytes);
        Assert.Equal(plan.WeightBytes + plan.BufferBytes + (model.CacheShape.BytesPerPosition(CacheType.F16) * 100), model.MemoryFor(100).OnDevices);
    }

    [Theory, InlineData("qwen"), InlineData("deepseek")]
    public void Two_devices_give_the_logits_of_one(string name)
    {
        using var one = new ModelTests.Counted("emulated");
        using var two = new ModelTests.Counted("emulated");
        using Model together = Load(name, "emulated", one);
        using Model apart = Load(name, "emulated:0,emulated:1", two);

        Assert.Equal([1, 1], apart.DevicePlan.Shares.Select(share => share.Attentions));
        Assert.Equal([1, 1], apart.DevicePlan.Shares.Select(share => share.FeedForwards));
        Assert.Equal([false, true], apart.DevicePlan.Shares.Select(share => share.HasHead));
        Assert.Equal(ModelTests.Logits(together), ModelTests.Logits(apart));
        Assert.All(two.Devices, device => Assert.True(device.Queue.Launches > 0));

        // A pass for the prompt and one for a token: the hidden state leaves the first device, and logits the second.
        Assert.Equal([2, 2], two.Devices.Select(device => device.Queue.ReadBacks));
    }

    [Theory, InlineData("emulated"), InlineData("emulated:0,emulated:1")]
    public void A_fork_has_the_past_and_writes_its_own_future(string devices)
    {
        using var plugin = new ModelTests.Counted(devices);
        using Model processor = ModelTests.Load(ModelTests.Qwen, new DeviceOptions());
        using Model placed = Load("qwen", devices, plugin);
        float[] expected = Forked(processor);
        float[] actual = Forked(placed);
        Assert.InRange(ModelTests.Error(expected, actual), 0, ModelTests.Tolerance);

        // As if nothing had been shared.
        Assert.Equal(Alone(placed, 5, 6).Concat(Alone(placed, 7, 8)), actual);
    }

    [Fact]
    public void Stored_transposed_key_projections_give_the_processors_logits()
    {
        using var plugin = new ModelTests.Counted("emulated");
        using Model processor = Load("split", "cpu", plugin);
        using Model placed = Load("split", "emulated", plugin);
        Assert.All(placed.Transformer.Blocks, block => Assert.Null(((MultiHeadLatentAttention)block.Attention).LayerWeights.KeyUp[0].Transposed));
        Assert.Equal((2, 2, true), (placed.DevicePlan.Attentions, placed.DevicePlan.FeedForwards, placed.DevicePlan.HasHead));
        Assert.InRange(ModelTests.Error(ModelTests.Logits(processor), ModelTests.Logits(placed)), 0, ModelTests.Tolerance);
    }

    private static Model Load(string name, string devices, ModelTests.Counted plugin) => ModelTests.Load(
        name switch
        {
            "qwen" => ModelTests.Qwen,
            "deepseek" => ModelTests.DeepSeek,
            _ => ModelTests.DeepSeek with { SplitsKeyValueUp = true },
        },
        new DeviceOptions { Name = devices, Given = plugin, Context = Context });

    /// <summary>Logits of two continuations of a past that they share, each of two tokens.</summary>
    private static float[] Forked(Model model)
    {
        using KvCache cache = model.CreateCache(4 * KvCache.BlockPositions);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(8);
        ModelTests.Feed(model, batch, sequence, [1, 2, 3]);
        using Sequence fork = sequence.Fork();
        float[][] first = [ModelTests.Feed(model, batch, fork, [7]), ModelTests.Feed(model, batch, sequence, [5])];
        float[][] second = [ModelTests.Feed(model, batch, fork, [8]), ModelTests.Feed(model, batch, sequence, [6])];
        return [.. first[1], .. second[1], .. first[0], .. second[0]];
    }

    private static float[] Alone(Model model, int first, int second)
    {
        using KvCache cache = model.CreateCache(KvCache.BlockPositions);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(8);
        ModelTests.Feed(model, batch, sequence, [1, 2, 3]);
        return [.. ModelTests.Feed(model, batch, sequence, [first]), .. ModelTests.Feed(model, batch, sequence, [second])];
    }
}
