using Pure.Engine.Devices;
using Pure.Engine.Generation;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Threading;

namespace Pure.Engine.Tests.Models;

/// <summary>The seam to devices, with one that computes what the processor does, on memory of its own, and that can fail.</summary>
public class DeviceTests
{
    private static readonly int[] Prompt = [1, 2, 3, 4, 5, 6, 7];

    [Theory]
    [InlineData("*attn*")]
    [InlineData("*ffn*")]
    [InlineData("blk.0*", "output")]
    [InlineData]
    public void Parts_on_a_device_that_computes_alike_give_the_same_bits(params string[] inMemory)
    {
        using Model processor = TinyModel.Llama().Load();
        using var plugin = new TwinPlugin();
        using Model placed = TinyModel.Llama().Load(Options("twin", plugin, inMemory));

        Assert.Equal(Run.Logits(processor, Prompt), Run.Logits(placed, Prompt));
        Assert.True(plugin["twin"].Passes > 0);
    }

    [Fact]
    public void The_hidden_state_moves_only_where_the_device_changes()
    {
        using var plugin = new TwinPlugin();
        using Model model = TinyModel.Llama().Load(Options("twin", plugin, ["blk.1.ffn_down"]));
        Run.Logits(model, [1, 2, 3]);

        // To the device for three branches, back for the fourth, and to it again for the head.
        Assert.Equal((2, 1), (plugin["twin"].Taken, plugin["twin"].Given));
    }

    [Fact]
    public void A_text_outlives_a_device_that_fails_where_the_choice_was_left()
    {
        using Model processor = TinyModel.Llama().Load();
        using var plugin = new TwinPlugin { FailsAfter = 5 };
        var warnings = new List<string>();
        using Model placed = TinyModel.Llama().Load(Options("auto", plugin, []) with { Warn = warnings.Add });

        Assert.Equal(Tokens(processor), Tokens(placed));
        Assert.Contains("twin is lost", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal("cpu", placed.DevicePlan.Device);
    }

    [Fact]
    public void Texts_written_together_outlive_a_device_that_fails()
    {
        using Model processor = TinyModel.Llama().Load();
        using var plugin = new TwinPlugin { FailsAfter = 5 };
        var warnings = new List<string>();
        using Model placed = TinyModel.Llama().Load(Options("auto", plugin, []) with { Warn = warnings.Add });
        using var scheduler = new Scheduler(placed);
        var options = new GenerationOptions { MaxTokens = 12, Sampling = SamplingOptions.Greedy };
        Completion[] texts = [.. Enumerable.Range(0, 3).Select(_ => scheduler.Submit(Prompt, options))];

        int[] alone = Tokens(processor);
        foreach (Completion text in texts)
            Assert.Equal(alone, text.ToBlockingEnumerable(TestContext.Current.CancellationToken).Select(token => token.Id));
        Assert.Contains("twin is lost", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Guesses_of_a_pass_that_failed_with_its_device_are_not_read()
    {
        using Model processor = TinyModel.Llama().Load();
        var options = new GenerationOptions { MaxTokens = 24, Sampling = SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [3] = 1e6f } } };
        int[] prompt = [1, 2, 3, 3, 3, 3];
        using var session = new Session(processor);
        int[] alone = Read(session.Generate(prompt, options, TestContext.Current.CancellationToken));
        for (int failsAfter = 4; failsAfter < 24; failsAfter++)
        {
            using var plugin = new TwinPlugin { FailsAfter = failsAfter };
            using Model placed = TinyModel.Llama().Load(Options("auto", plugin, []) with { Warn = _ => { }, MaxBatchRows = 12 });
            using var scheduler = new Scheduler(placed, new SchedulerOptions { MaxRunning = 8, PromptChunk = 4 });
            Completion[] texts = [.. Enumerable.Range(0, 2).Select(_ => scheduler.Submit(
                prompt, options with { Speculation = Speculation.Lookup }, cancellationToken: TestContext.Current.CancellationToken))];
            foreach (Completion text in texts)
                Assert.Equal(alone, Read(text));
        }

        static int[] Read(Completion text) =>
            [.. text.ToBlockingEnumerable(TestContext.Current.CancellationToken).Select(token => token.Id)];
    }

    [Fact]
    public void A_device_that_was_named_is_not_left()
    {
        using var plugin = new TwinPlugin { FailsAfter = 5 };
        using Model placed = TinyModel.Llama().Load(Options("twin", plugin, []));

        Assert.Contains("twin is lost", Assert.Throws<DeviceException>(() => Tokens(placed)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_and_mixtures_stay_in_memory_as_asked_and_the_plan_says_why()
    {
        using var plugin = new TwinPlugin();
        ModelOptions options = Options("twin", plugin, []);
        using Model last = TinyModel.DeepSeek2().Load(options with { Device = options.Device with { Layers = 1 } });
        Assert.Equal((1, 1, true), (last.DevicePlan.Attentions, last.DevicePlan.FeedForwards, last.DevicePlan.HasHead));
        Assert.Equal(
            ["1 attention before the last 1 layers", "1 feed-forward before the last 1 layers"], Assert.Single(last.DevicePlan.Shares).Reasons);

        using Model experts = TinyModel.DeepSeek2().Load(options with { Device = options.Device with { MixturesInMemory = 2 } });
        Assert.Equal((2, 1, true), (experts.DevicePlan.Attentions, experts.DevicePlan.FeedForwards, experts.DevicePlan.HasHead));
        Assert.Equal(["1 mixture among the first 2 layers"], Assert.Single(experts.DevicePlan.Shares).Reasons);

        using var small = new TwinPlugin { Room = { ["twin"] = 3 } };
        using Model some = TinyModel.DeepSeek2().Load(Options("twin", small, []));
        Assert.Equal(3, some.DevicePlan.WeightBytes);
        Assert.EndsWith("in memory: 1 attention for want of room; 1 mixture for want of room", some.DevicePlan.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_and_values_count_and_buffers_count_once()
    {
        var bytes = new Dictionary<string, DeviceBytes>
        {
            ["attention"] = new(1, 10, new DeviceBuffers("heads", 100)),
            ["feed-forward"] = new(1, 0, new DeviceBuffers("network", 1000)),
            ["head"] = new(1, 0, new DeviceBuffers("head", 10_000)),
        };
        using var all = new TwinPlugin { Bytes = bytes, Room = { ["twin"] = 11_125 } };
        DevicePlan plan = PlanOf(TinyModel.Llama(), all);
        Assert.Equal((2, 2, true), (plan.Attentions, plan.FeedForwards, plan.HasHead));
        Assert.Equal((5, 20, 11_100), (plan.WeightBytes, plan.CacheBytes, plan.BufferBytes));

        using var less = new TwinPlugin { Bytes = bytes, Room = { ["twin"] = 11_124 } };
        plan = PlanOf(TinyModel.Llama(), less);
        Assert.Equal((1, 2, true), (plan.Attentions, plan.FeedForwards, plan.HasHead));
        Assert.Equal((4, 10), (plan.WeightBytes, plan.CacheBytes));
        Assert.Equal(["1 attention for want of room"], Assert.Single(plan.Shares).Reasons);
    }

    /// <summary>A mixture of 12 bytes is 2 without its routed experts; attention, network and head take 8.</summary>
    [Theory]
    [InlineData(20, null, 0, 0, "")]
    [InlineData(19, null, 1, 0, "1 mixture's experts for want of room")]
    [InlineData(9, null, 0, 0, "1 mixture for want of room")]
    [InlineData(20, 100, 0, 0, "")]
    [InlineData(19, 5, 0, 5, "1 mixture's experts for want of room")]
    [InlineData(19, 100, 0, 9, "1 mixture's experts for want of room")]
    [InlineData(12, 5, 1, 0, "1 mixture's experts for want of room")]
    public void Routed_experts_without_room_stay_in_memory_or_come_as_they_are_needed(int room, int? asked, int split, int cached, string reason)
    {
        using var plugin = new TwinPlugin
        {
            DividesMixtures = true,
            Room = { ["twin"] = room },
            Bytes = { ["attention"] = new(2, 0), ["feed-forward"] = new(2, 0), ["head"] = new(2, 0), ["mixture"] = new(12, 0), ["part"] = new(2, 0) },
        };
        ModelOptions options = Options("twin", plugin, []);
        using Model processor = TinyModel.DeepSeek2().Load();
        using Model model = TinyModel.DeepSeek2().Load(options with { Device = options.Device with { ExpertCacheBytes = asked } });

        DeviceShare share = Assert.Single(model.DevicePlan.Shares);
        Assert.Equal((split, cached > 0 ? 1 : 0, cached), (share.SplitMixtures, share.CachedMixtures, share.ExpertCacheBytes));
        Assert.Equal(reason, string.Join("; ", share.Reasons));
        Assert.Equal(cached, plugin["twin"].ExpertCacheBytes);
        Assert.Equal(share.WeightBytes + cached, model.MemoryFor(64).OnDevices - OfLayers(model, share.Attentions));
        Assert.Equal(Run.Logits(processor, Prompt), Run.Logits(model, Prompt));
    }

    [Theory]
    [InlineData("blk.1.ffn_down_exps", 2, 1, "1 mixture's experts by its name")]
    [InlineData("blk.1.ffn_down_shexp", 1, 0, "1 mixture by its name")]
    [InlineData("blk.1.ffn_down_*", 1, 0, "1 mixture by its name")]
    public void Shared_experts_stay_in_memory_by_their_own_name(string pattern, int feedForwards, int split, string reason)
    {
        using var plugin = new TwinPlugin { DividesMixtures = true };
        using Model model = TinyModel.DeepSeek2().Load(Options("twin", plugin, [pattern]));

        DeviceShare share = Assert.Single(model.DevicePlan.Shares);
        Assert.Equal((feedForwards, split), (share.FeedForwards, share.SplitMixtures));
        Assert.Equal(reason, Assert.Single(share.Reasons));
    }

    [Fact]
    public void A_mixture_is_divided_where_its_attention_is_on_the_device()
    {
        using var plugin = new TwinPlugin { DividesMixtures = true };
        using Model model = TinyModel.DeepSeek2().Load(Options("twin", plugin, ["blk.1.ffn_down_exps", "blk.1.attn_output"]));
        Assert.Equal((1, 1, 0), (model.DevicePlan.Attentions, model.DevicePlan.FeedForwards, model.DevicePlan.Shares[0].SplitMixtures));
        Assert.Contains("1 mixture by its name", model.DevicePlan.Shares[0].Reasons);
    }

    [Fact]
    public void A_cache_of_experts_that_is_too_small_is_refused()
    {
        using var plugin = new TwinPlugin { DividesMixtures = true };
        ModelOptions options = Options("twin", plugin, ["*_exps"]);
        DeviceException refused = Assert.Throws<DeviceException>(
            () => TinyModel.DeepSeek2().Load(options with { Device = options.Device with { ExpertCacheBytes = 3 } }));
        Assert.Contains("--gpu-expert-cache", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 1, 1)]
    [InlineData(30, 1, 1)]
    [InlineData(1000, 1, 1)]
    [InlineData(30, 5, 5)]
    public void Room_is_kept_for_the_texts_that_are_announced(int? context, int texts, int blocks)
    {
        using var plugin = new TwinPlugin();
        ModelOptions options = Options("twin", plugin, []);
        using Model model = TinyModel.Llama().Load(options with { Device = options.Device with { Context = context, Sequences = texts } });
        Assert.Equal(blocks, plugin["twin"].Model.Blocks);
    }

    [Fact]
    public void Devices_share_the_layers_in_order_by_their_memory_and_give_the_same_bits()
    {
        using Model processor = Layers(8).Load();
        using var plugin = new TwinPlugin { Room = { ["twin:0"] = 60, ["twin:1"] = 20, ["twin:2"] = 20 } };
        using Model placed = Layers(8).Load(Options("twin:0, twin:1,twin:2", plugin, []));

        Assert.Equal([5, 2, 1], placed.DevicePlan.Shares.Select(share => share.Attentions));
        Assert.Equal([5, 2, 1], placed.DevicePlan.Shares.Select(share => share.FeedForwards));
        Assert.Equal([false, false, true], placed.DevicePlan.Shares.Select(share => share.HasHead));
        Assert.Equal("twin:0,twin:1,twin:2", placed.DevicePlan.Device);
        Assert.StartsWith("twin:1: attention of 2 and feed-forward of 2 of 8 layers, 0 MB of", placed.DevicePlan.Lines[1], StringComparison.Ordinal);

        Assert.Equal(Run.Logits(processor, Prompt), Run.Logits(placed, Prompt));
        Assert.Equal([(1, 1), (1, 1), (1, 0)], ((string[])["twin:0", "twin:1", "twin:2"]).Select(name => (plugin[name].Taken, plugin[name].Given)));
    }

    [Fact]
    public void Layers_are_counted_over_all_devices()
    {
        using var plugin = new TwinPlugin();
        ModelOptions options = Options("twin:0,twin:1", plugin, []);
        using Model model = Layers(8).Load(options with { Device = options.Device with { Layers = 4 } });

        Assert.Equal([2, 2], model.DevicePlan.Shares.Select(share => share.Attentions));
        Assert.Equal(["4 attention before the last 4 layers", "4 feed-forward before the last 4 layers"], model.DevicePlan.Shares[0].Reasons);
        Assert.Empty(model.DevicePlan.Shares[1].Reasons);
    }

    [Fact]
    public void Auto_takes_all_devices_and_leaves_all_when_one_fails()
    {
        using Model processor = TinyModel.Llama().Load();
        using var plugin = new TwinPlugin { Listed = ["twin:0", "twin:1"], FailsAfter = 5 };
        var warnings = new List<string>();
        using Model placed = TinyModel.Llama().Load(Options("auto", plugin, []) with { Warn = warnings.Add });

        Assert.Equal("twin:0,twin:1", placed.DevicePlan.Device);
        Assert.Equal(Tokens(processor), Tokens(placed));
        Assert.Equal("cpu", placed.DevicePlan.Device);
        Assert.Single(warnings);
    }

    [Fact]
    public void Auto_takes_the_processor_where_weights_cannot_be_placed()
    {
        using var plugin = new TwinPlugin { RefusesWeights = true };
        var warnings = new List<string>();
        using Model model = TinyModel.Llama().Load(Options("auto", plugin, []) with { Warn = warnings.Add });
        Assert.Equal("cpu", model.DevicePlan.Device);
        Assert.Contains("twin is full", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal(0, model.MemoryFor(10).OnDevices);
        Run.Logits(model, Prompt);

        Assert.Throws<DeviceException>(() => TinyModel.Llama().Load(Options("twin", plugin, [])));
    }

    [Theory]
    [InlineData("twin,twin", "names twin more than once")]
    [InlineData("twin,", "without a name")]
    [InlineData("twin,cpu", "names cpu beside other devices")]
    [InlineData("auto,twin", "names auto")]
    [InlineData("twin,nothing", "There is no device \"nothing\"")]
    public void Names_that_do_not_go_together_are_refused(string names, string message)
    {
        using var plugin = new TwinPlugin();
        DeviceException refused = Assert.Throws<DeviceException>(() => TinyModel.Llama().Load(Options(names, plugin, [])));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.All(plugin.Opened, twin => Assert.True(twin.IsDisposed));
    }

    [Fact]
    public void What_is_on_a_device_is_neither_prepared_nor_counted_in_memory()
    {
        string path = Golden.Open("llama-q256-Q4_0").ModelPath;
        var populate = new MemoryOptions { Populate = true };
        using Model processor = Model.Load(path, new ModelOptions { Memory = populate });
        using var plugin = new TwinPlugin { HasCache = true };
        using Model placed = Model.Load(path, Options("twin", plugin, []) with { Memory = populate });
        using Model halved = Model.Load(path, Options("twin", plugin, ["*ffn*"]) with { Memory = populate });

        Assert.Equal(0, placed.ReadWeights());
        (MemoryNeed all, MemoryNeed half, MemoryNeed none) = (processor.MemoryFor(100), halved.MemoryFor(100), placed.MemoryFor(100));
        Assert.Equal((0, 0, all.Cache), (none.Cache, all.OnDevices, half.OnDevices - halved.DevicePlan.WeightBytes - halved.DevicePlan.BufferBytes));

        // What is not rearranged is read as it is mapped, and not counted there.
        if (processor.ReadWeights() > 0)
            Assert.Equal(processor.ReadWeights() - halved.ReadWeights(), all.Weights - half.Weights);
        Assert.InRange(none.Weights, 0, half.Weights - 1);
    }

    [Fact]
    public void A_memory_limit_counts_what_is_on_a_device_only_where_it_may_come_back()
    {
        string path = Golden.Open("qwen3moe-q256-Q4_K_M").ModelPath;
        using var plugin = new TwinPlugin();
        long processor = Needed(new ModelOptions());
        long placed = Needed(Options("twin", plugin, []));
        Assert.InRange(placed, 0, processor - 1);
        Assert.Equal(processor, Needed(Options("auto", plugin, [])));
        Assert.InRange(Needed(Options("twin", plugin, ["output"])), placed + 1, processor - 1);

        long Needed(ModelOptions options)
        {
            using Model model = Model.Load(path, options with { MemoryLimit = 1L << 40 });
            return model.MemoryPlan!.NeededBytes;
        }
    }

    [Fact]
    public void A_cache_that_cannot_be_made_gives_back_what_it_had_of_devices()
    {
        using var plugin = new TwinPlugin { HasCache = true, Room = { ["twin:0"] = 40, ["twin:1"] = 40 } };
        using Model model = Layers(8).Load(Options("twin:0,twin:1", plugin, ["blk.7.attn_output"]));
        plugin["twin:1"].RefusesCaches = true;
        Assert.Throws<DeviceException>(() => model.CreateCache(64));
        Assert.Equal((1, 0), (plugin["twin:0"].Caches, plugin["twin:0"].LiveCaches));

        // More than any machine has, of the one layer in memory.
        plugin["twin:1"].RefusesCaches = false;
        Assert.Throws<InvalidRequestException>(() => model.CreateCache(int.MaxValue - KvCache.BlockPositions));
        Assert.Equal((2, 0), (plugin["twin:0"].Caches, plugin["twin:0"].LiveCaches));
        Assert.Equal((1, 0), (plugin["twin:1"].Caches, plugin["twin:1"].LiveCaches));

        model.CreateCache(64).Dispose();
        Assert.Equal((3, 0), (plugin["twin:0"].Caches, plugin["twin:0"].LiveCaches));
    }

    [Fact]
    public void Without_a_plugin_a_named_device_is_refused_and_auto_takes_the_processor()
    {
        var missing = new DeviceOptions { Name = "cuda:0", Plugin = "/nowhere/Pure.Gpu.dll" };
        Assert.Contains(
            "/nowhere/Pure.Gpu.dll", Assert.Throws<DeviceException>(() => TinyModel.Llama().Load(new ModelOptions { Device = missing })).Message, StringComparison.Ordinal);
        var warnings = new List<string>();
        using Model model = TinyModel.Llama().Load(new ModelOptions { Device = missing with { Name = "auto" }, Warn = warnings.Add });
        Assert.Equal("cpu", model.DevicePlan.Device);
        Assert.Single(warnings);
    }

    private static ModelOptions Options(string names, TwinPlugin plugin, string[] inMemory) => new()
    {
        Threads = 1,
        Device = new DeviceOptions { Name = names, Given = plugin, InMemory = inMemory },
    };

    /// <summary>A LLaMA of so many layers.</summary>
    private static TinyModel Layers(int count)
    {
        TinyModel model = TinyModel.Llama();
        model.Keys["llama.block_count"] = (uint)count;
        foreach ((string name, int[] shape) in model.Tensors.Where(tensor => tensor.Key.StartsWith("blk.1.", StringComparison.Ordinal)).ToArray())
        {
            for (int layer = 2; layer < count; layer++)
                model.Tensors[name.Replace("blk.1.", $"blk.{layer}.", StringComparison.Ordinal)] = shape;
        }

        return model;
    }

    /// <summary>Bytes of 64 positions' keys and values.</summary>
    private static long OfLayers(Model model, int layers) =>
        64 * model.CacheShape.BytesPerPosition(CacheType.F16) / model.CacheShape.Layers * layers;

    private static DevicePlan PlanOf(TinyModel tiny, TwinPlugin plugin)
    {
        using Model model = tiny.Load(Options("twin", plugin, []));
        return model.DevicePlan;
    }

    private static int[] Tokens(Model model)
    {
        using var session = new Session(model);
        var options = new GenerationOptions { MaxTokens = 12, Sampling = new SamplingOptions { Temperature = 0 } };
        return [.. session.Generate(Prompt, options).ToBlockingEnumerable(TestContext.Current.CancellationToken).Select(token => token.Id)];
    }

    /// <summary>Has a twin of every name that begins so.</summary>
    private sealed class TwinPlugin : IDevicePlugin, IDisposable
    {
        internal List<Twin> Opened { get; } = [];

        internal string[] Listed { get; init; } = ["twin"];

        internal int FailsAfter { get; init; } = int.MaxValue;

        internal bool RefusesWeights { get; init; }

        /// <summary>Whether mixtures may be there without their routed experts.</summary>
        internal bool DividesMixtures { get; init; }

        /// <summary>Whether keys and values lie on twins, which then cannot compute with them.</summary>
        internal bool HasCache { get; init; }

        /// <summary>Bytes of a twin's memory, where they are few.</summary>
        internal Dictionary<string, long> Room { get; } = [];

        /// <summary>What parts take, where it is not a byte.</summary>
        internal Dictionary<string, DeviceBytes> Bytes { get; init; } = [];

        internal Twin this[string name] => Opened.Last(twin => twin.Name == name);

        public IReadOnlyList<DeviceInfo> List() => [.. Listed.Select(name => new DeviceInfo(name, "the processor once more", 1, 1))];

        public IDevice Open(string name, DeviceModel model)
        {
            if (!name.StartsWith("twin", StringComparison.Ordinal))
                throw new DeviceException($"There is no device \"{name}\".");
            Opened.Add(new Twin(name, model, this));
            return Opened[^1];
        }

        public void Dispose() => Opened.Clear();
    }

    /// <summary>The hidden state is its own.</summary>
    private sealed class Twin(string name, DeviceModel model, TwinPlugin plugin) : IDevice
    {
        private readonly Cpu _cpu = new(KernelSet.Select(null, emit: true), new WorkerPool(1), ActivationType.Q8, repacks: true);
        private readonly ActivationBuffer _hidden = new(model.MaxRows, model.Embedding);
        private Processor? _processor;

        public string Name => name;

        public long FreeBytes => plugin.Room.GetValueOrDefault(name, long.MaxValue);

        internal DeviceModel Model => model;

        internal int Passes { get; private set; }

        internal int Taken { get; private set; }

        internal int Given { get; private set; }

        internal bool RefusesCaches { get; set; }

        internal int Caches { get; private set; }

        internal int LiveCaches { get; private set; }

        internal bool IsDisposed { get; private set; }

        private Processor Own => _processor ??= new Processor(_cpu, model.MaxRows, model.Embedding);

        internal long ExpertCacheBytes { get; private set; }

        public string? Refusal(Branch branch, Placement placement) =>
            placement == Placement.Whole || plugin.DividesMixtures ? null : "it is not divided there";

        public DeviceBytes BytesOf(Branch branch, Placement placement) =>
            Of(branch.IsAttention ? "attention" : !branch.IsMixture ? "feed-forward" : placement == Placement.Whole ? "mixture" : "part");

        public long LeastExpertCacheBytes(IReadOnlyList<Branch> mixtures) => 4;

        public void MakeExpertCache(IReadOnlyList<Branch> mixtures, long bytes) => ExpertCacheBytes = bytes;

        public DeviceBytes? BytesOf(OutputHead head) => Of("head");

        public IDeviceBranch Place(Branch branch, Placement placement) => plugin.RefusesWeights
            ? throw new DeviceException($"{name} is full; use another device.")
            : new Placed(this, Own.Place(branch, placement), null);

        public IDeviceHead Place(OutputHead head) => new Placed(this, null, Own.Place(head));

        public IDeviceCache? CreateCache(CacheShape shape, int blocks, IReadOnlyList<int> layers)
        {
            if (RefusesCaches)
                throw new DeviceException($"{name} has no room for keys and values; use a shorter context.");
            if (!plugin.HasCache)
                return null;
            Caches++;
            LiveCaches++;
            return new Cache(this);
        }

        public void Begin(Batch batch)
        {
            if (Passes++ >= plugin.FailsAfter)
                throw new DeviceException($"{name} is lost; use another device.");
        }

        public void Take(in Activations x)
        {
            Taken++;
            x.All.CopyTo(_hidden.Rows(x.Rows).All);
            x.All.Clear();
        }

        public void Give(in Activations x)
        {
            Given++;
            _hidden.Rows(x.Rows).All.CopyTo(x.All);
        }

        public void Dispose()
        {
            IsDisposed = true;
            _processor?.Dispose();
            _hidden.Dispose();
            _cpu.Dispose();
        }

        private DeviceBytes Of(string part) => plugin.Bytes.GetValueOrDefault(part) ?? new DeviceBytes(1, 0);

        private sealed class Placed(Twin device, IDeviceBranch? branch, IDeviceHead? head) : IDeviceBranch, IDeviceHead
        {
            public IDevice Device => device;

            public void Forward(Step step, in Activations x) => branch!.Forward(step, device._hidden.Rows(step.Rows));

            public void Forward(Step step, in Activations x, in Activations logits) => head!.Forward(step, device._hidden.Rows(step.Rows), logits);
        }

        private sealed class Cache(Twin device) : IDeviceCache
        {
            public IDevice Device => device;

            public void Copy(int from, int to, int positions)
            {
            }

            public void Dispose() => device.LiveCaches--;
        }
    }
}
