using Pure.Engine.Devices;
using Pure.Engine.Generation;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Gpu.Layers;
using Pure.Serve.Benchmark;

namespace Pure.Gpu.Tests;

/// <summary>Whole models of random weights, with parts on a device, beside the processor alone.</summary>
public sealed class ModelTests
{
    /// <summary>
    /// Normalised mean square error of logits: both multiply the same 8-bit codes, and differ where floats are summed in another order, which
    /// now and then moves a code by one.
    /// </summary>
    internal const double Tolerance = 1e-4;

    private const int ExpertBytes = 3 * 2048 / 32 * 34;

    private static readonly int[] Prompt = [3, 77, 150, 9, 9, 201, 42];

    internal static readonly ModelShape Qwen = new()
    {
        Name = "qwen3-moe-tiny",
        Architecture = "qwen3moe",
        Embedding = 64,
        Layers = 2,
        Heads = 4,
        KvHeads = 2,
        HeadSize = 16,
        Hidden = 64,
        Experts = 8,
        UsedExperts = 2,
        ExpertHidden = 32,
        Vocabulary = 300,
        Context = 256,
    };

    internal static readonly ModelShape DeepSeek = new()
    {
        Name = "deepseek2-tiny",
        Architecture = "deepseek2",
        Embedding = 64,
        Layers = 2,
        DenseLayers = 1,
        Heads = 2,
        KvHeads = 2,
        Hidden = 64,
        QueryRank = 32,
        LatentSize = 32,
        HeadSize = 32,
        RopeSize = 16,
        Experts = 8,
        UsedExperts = 2,
        SharedExperts = 1,
        ExpertHidden = 32,
        Vocabulary = 300,
        Context = 256,
    };

    public static TheoryData<string, string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, string>();
            foreach (string device in (string[])["emulated", "cuda:0"])
            {
                foreach (string model in (string[])["qwen", "deepseek"])
                {
                    foreach (string parts in (string[])["attention", "experts", "all"])
                        cases.Add(device, model, parts);
                }
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Logits_are_the_processors_within_the_tolerance(string device, string model, string parts)
    {
        using var plugin = new Counted(device);
        ModelShape shape = model == "qwen" ? Qwen : DeepSeek;
        string[] inMemory = parts switch
        {
            "attention" => ["*ffn*", "output"],
            "experts" => ["*attn*", "output"],
            _ => [],
        };
        var options = new DeviceOptions { Name = device, InMemory = inMemory, Given = plugin };
        using Model processor = Load(shape, new DeviceOptions());
        using Model placed = Load(shape, options);

        Assert.Equal(device, placed.DevicePlan.Device);
        Assert.Equal(parts == "experts" ? 0 : shape.Layers, placed.DevicePlan.Attentions);
        Assert.Equal(parts == "attention" ? 0 : shape.Layers, placed.DevicePlan.FeedForwards);
        Assert.Equal(parts == "all", placed.DevicePlan.HasHead);
        float[] expected = Logits(processor);
        float[] actual = Logits(placed);
        Assert.InRange(Error(expected, actual), 0, Tolerance);
        Assert.Equal(actual, Logits(placed));
    }

    /// <summary>Routed experts in memory: computed there, or copied into a cache with fewer places than a batch names experts.</summary>
    [Theory]
    [InlineData("emulated", false)]
    [InlineData("emulated", true)]
    [InlineData("cuda:0", false)]
    [InlineData("cuda:0", true)]
    public void Shared_experts_may_be_on_a_device_without_the_routed_ones(string device, bool caches)
    {
        using var plugin = new Counted(device);
        ModelShape shape = DeepSeek with { Layers = 3 };
        var options = new DeviceOptions { Name = device, Given = plugin, InMemory = ["*ffn_down_exps"], ExpertCacheBytes = caches ? CacheBytes(places: 3) : null };
        using Model processor = Load(shape, new DeviceOptions());
        using Model placed = Load(shape, options);

        DeviceShare share = Assert.Single(placed.DevicePlan.Shares);
        Assert.Equal(caches ? (3, 0, 2) : (3, 2, 0), (share.FeedForwards, share.SplitMixtures, share.CachedMixtures));
        Assert.Equal(["2 mixture's experts by its name"], share.Reasons);
        float[] actual = Logits(placed);
        Assert.InRange(Error(Logits(processor), actual), 0, Tolerance);
        Assert.Equal(actual, Logits(placed));
        Assert.Equal(caches, placed.DeviceExpertReads.Asked > 0);
    }

    /// <summary>Of the mix, the last layer's downs are of another type: its experts have places of their own.</summary>
    [Theory]
    [InlineData("emulated", "Q8_0")]
    [InlineData("emulated", "Q4_K_M")]
    [InlineData("cuda:0", "Q8_0")]
    [InlineData("cuda:0", "Q4_K_M")]
    public void Experts_that_come_and_go_give_the_bits_of_those_that_stay(string device, string mix)
    {
        using var plugin = new Counted(device);
        ModelShape shape = Qwen with { Layers = 3 };
        using Model stay = Load(shape, new DeviceOptions { Name = device, Given = plugin }, mix);
        using Model go = Load(shape, new DeviceOptions { Name = device, Given = plugin, MixturesInMemory = 3, ExpertCacheBytes = CacheBytes(places: 8) }, mix);

        Assert.Equal((0, 3), (stay.DevicePlan.Shares[0].CachedMixtures, go.DevicePlan.Shares[0].CachedMixtures));
        Assert.Equal(Logits(stay), Logits(go));
        Assert.Equal(Logits(stay), Logits(go));
        ExpertReads reads = go.DeviceExpertReads;
        Assert.True(reads.Found > 0 && reads.Missed > 0, $"{reads}");
        Assert.True(reads.Guessed > 0 && reads.GuessedRight > 0 && reads.GuessedRight <= reads.Guessed, $"{reads}");
        if (mix == "Q8_0")
            Assert.Equal((reads.Missed + reads.Guessed) * ExpertBytes, reads.Bytes);
        Assert.Equal(default, stay.DeviceExpertReads);
    }

    [Fact]
    public void An_expert_that_could_not_be_brought_is_brought_again()
    {
        using var plugin = new Counted("emulated");
        using Model model = Load(Qwen, new DeviceOptions { Name = "emulated", Given = plugin, Layers = 0 });
        GpuDevice device = plugin.Device!;
        var weights = ((MixtureOfExperts)model.Transformer.Blocks[0].FeedForward).LayerWeights;
        using var pool = new ExpertPool(device, [weights], places: 2);
        var missing = new List<ExpertPlace>();
        Assert.Equal(2, pool.Places.Prepare(0, [3, 5], new int[2], missing));
        missing.Insert(1, new ExpertPlace(Layer: 0, Expert: 4, Place: 2));

        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Bring(device.Queue, missing));
        missing.Clear();
        Assert.Equal(2, pool.Places.Prepare(0, [3, 5], new int[2], missing));
        Assert.Equal([5], missing.Select(expert => expert.Expert));
    }

    /// <summary>Copies of experts are those of another queue, and counted by <see cref="Model.DeviceExpertReads"/>.</summary>
    [Theory]
    [InlineData("emulated", false)]
    [InlineData("emulated", true)]
    [InlineData("cuda:0", false)]
    [InlineData("cuda:0", true)]
    public void Experts_in_memory_cost_a_read_back_for_each_mixture(string device, bool caches)
    {
        using var plugin = new Counted(device);
        var options = new DeviceOptions
        {
            Name = device,
            Given = plugin,
            MixturesInMemory = 3,
            ExpertCacheBytes = caches ? CacheBytes(places: 3) : null,
        };
        using Model model = Load(DeepSeek with { Layers = 3 }, options);
        Cost cost = CostOfToken(model, plugin);

        // The hidden state, what attention must know of the row, and for each mixture where its experts are, or what they made.
        Assert.Equal((0, 1 + 2, 2 + 2), (cost.Allocations, cost.ReadBacks, cost.Uploads));
    }

    [Theory, InlineData("emulated"), InlineData("cuda:0")]
    public void A_token_costs_no_allocation_and_one_read_back(string device)
    {
        using var plugin = new Counted(device);
        using Model model = Load(Qwen, new DeviceOptions { Name = device, Given = plugin });
        Cost cost = CostOfToken(model, plugin);

        // The hidden state, and what attention must know of the row.
        Assert.Equal((0, 1, 2), (cost.Allocations, cost.ReadBacks, cost.Uploads));
        Assert.InRange(cost.Launches, 1, Qwen.Layers * 32);
    }

    [Fact]
    public void A_text_outlives_a_device_that_fails_with_its_cache()
    {
        using Model processor = Load(DeepSeek, new DeviceOptions());
        using Model placed = Load(DeepSeek, new DeviceOptions { Name = "auto", Given = new Failing() });

        Assert.Equal("emulated", placed.DevicePlan.Device);
        Assert.Equal(Tokens(processor), Tokens(placed));
        Assert.Equal("cpu", placed.DevicePlan.Device);
    }

    /// <summary>What each of three tokens cost, all of them the same.</summary>
    private static Cost CostOfToken(Model model, Counted plugin)
    {
        using KvCache cache = model.CreateCache(64);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(8);
        Feed(model, batch, sequence, Prompt);
        Feed(model, batch, sequence, [5]);
        Cost[] costs = new Cost[3];
        for (int token = 0; token < costs.Length; token++)
        {
            Cost before = Cost.Of(plugin.Device!.Queue);
            Feed(model, batch, sequence, [6 + token]);
            costs[token] = Cost.Of(plugin.Device.Queue).Since(before);
        }

        return Assert.Single(costs.Distinct());
    }

    /// <summary>Room for so many experts of a layer, whose gate, up and down have 2,048 weights each, in blocks of 32 with 34 bytes.</summary>
    private static long CacheBytes(int places) => places * ExpertBytes;

    private static int[] Tokens(Model model)
    {
        using var session = new Session(model, contextLength: 64);
        var options = new GenerationOptions { MaxTokens = 6, Sampling = new SamplingOptions { Temperature = 0 } };
        return [.. session.Generate(Prompt, options).ToBlockingEnumerable(TestContext.Current.CancellationToken).Select(token => token.Id)];
    }

    internal static Model Load(ModelShape shape, DeviceOptions device, string mix = "Q8_0") =>
        new BenchModel(null, shape, WeightMix.All.Single(known => known.Name == mix), Seed: 5).Load(
            new ModelOptions { Threads = 1, MaxBatchRows = 8, Device = device });

    internal static float[] Logits(Model model)
    {
        using KvCache cache = model.CreateCache(64);
        using Sequence sequence = cache.CreateSequence();
        var batch = new Batch(8);
        float[] prompt = Feed(model, batch, sequence, Prompt);
        return [.. prompt, .. Feed(model, batch, sequence, [5])];
    }

    internal static float[] Feed(Model model, Batch batch, Sequence sequence, int[] tokens)
    {
        batch.Clear();
        foreach (int token in tokens)
            batch.Add(sequence, token, wantsLogits: true);
        Logits logits = model.Forward(batch);
        return [.. Enumerable.Range(0, tokens.Length).SelectMany(row => logits[row].ToArray())];
    }

    internal static double Error(float[] expected, float[] actual) =>
        expected.Zip(actual, (e, a) => ((double)e - a) * ((double)e - a)).Sum() / expected.Sum(e => (double)e * e);

    /// <summary>What an accelerator was told.</summary>
    private readonly record struct Cost(long Launches, long Allocations, long Uploads, long ReadBacks)
    {
        internal static Cost Of(GpuQueue queue) => new(queue.Launches, queue.Allocations, queue.Uploads, queue.ReadBacks);

        internal Cost Since(Cost before) =>
            new(Launches - before.Launches, Allocations - before.Allocations, Uploads - before.Uploads, ReadBacks - before.ReadBacks);
    }

    /// <summary>A device whose fourth pass fails.</summary>
    private sealed class Failing : IDevicePlugin
    {
        public IReadOnlyList<DeviceInfo> List() => [new("emulated", "fails", 1, 1)];

        public IDevice Open(string name, DeviceModel model) => new Device(new Plugin().Open(name, model));

        private sealed class Device(IDevice device) : IDevice
        {
            private int _passes;

            public string Name => device.Name;

            public long FreeBytes => device.FreeBytes;

            public string? Refusal(Branch branch, Placement placement) => device.Refusal(branch, placement);

            public DeviceBytes BytesOf(Branch branch, Placement placement) => device.BytesOf(branch, placement);

            public DeviceBytes? BytesOf(OutputHead head) => device.BytesOf(head);

            public IDeviceBranch Place(Branch branch, Placement placement) => device.Place(branch, placement);

            public IDeviceHead Place(OutputHead head) => device.Place(head);

            public IDeviceCache? CreateCache(CacheShape shape, int blocks, IReadOnlyList<int> layers) => device.CreateCache(shape, blocks, layers);

            public void Begin(Batch batch)
            {
                if (++_passes == 4)
                    throw new DeviceException("The device is lost; use another one.");
                device.Begin(batch);
            }

            public void Take(in Activations x) => device.Take(x);

            public void Give(in Activations x) => device.Give(x);

            public void Dispose() => device.Dispose();
        }
    }

    /// <summary>The plugin, and the devices that were opened.</summary>
    internal sealed class Counted : IDevicePlugin, IDisposable
    {
        private readonly Plugin _plugin = new();

        public Counted(string device)
        {
            if (device.StartsWith("emulated", StringComparison.Ordinal))
                return;
            try
            {
                Assert.SkipWhen(_plugin.List().Count == 0, "Nothing ran on CUDA: this machine has no CUDA device");
            }
            catch (DeviceException missing)
            {
                Assert.Skip($"Nothing ran on CUDA: {missing.Message}");
            }
        }

        /// <summary>The device that was opened last.</summary>
        internal GpuDevice? Device => Devices.LastOrDefault();

        /// <summary>All that were opened.</summary>
        internal List<GpuDevice> Devices { get; } = [];

        public IReadOnlyList<DeviceInfo> List() => _plugin.List();

        public IDevice Open(string name, DeviceModel model)
        {
            Devices.Add((GpuDevice)_plugin.Open(name, model));
            return Devices[^1];
        }

        public void Dispose() => Devices.Clear();
    }
}
