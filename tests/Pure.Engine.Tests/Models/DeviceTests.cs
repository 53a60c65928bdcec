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
        Assert.True(plugin.Device!.Passes > 0);
    }

    [Fact]
    public void The_hidden_state_moves_only_where_the_device_changes()
    {
        using var plugin = new TwinPlugin();
        using Model model = TinyModel.Llama().Load(Options("twin", plugin, ["blk.1.ffn_down"]));
        Run.Logits(model, [1, 2, 3]);

        // To the device for three branches, back for the fourth, and to it again for the head.
        Assert.Equal((2, 1), (plugin.Device!.Taken, plugin.Device.Given));
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
        Assert.Equal(["1 attention before the last 1 layers", "1 feed-forward before the last 1 layers"], last.DevicePlan.Reasons);

        using Model experts = TinyModel.DeepSeek2().Load(options with { Device = options.Device with { MixturesInMemory = 2 } });
        Assert.Equal((2, 1, true), (experts.DevicePlan.Attentions, experts.DevicePlan.FeedForwards, experts.DevicePlan.HasHead));
        Assert.Equal(["1 mixture among the first 2 layers"], experts.DevicePlan.Reasons);

        using var small = new TwinPlugin { Room = 3 };
        using Model some = TinyModel.DeepSeek2().Load(Options("twin", small, []));
        Assert.Equal(3, some.DevicePlan.WeightBytes);
        Assert.EndsWith("in memory: 1 attention for want of room; 1 mixture for want of room", some.DevicePlan.ToString(), StringComparison.Ordinal);
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

    private static ModelOptions Options(string name, TwinPlugin plugin, string[] inMemory) => new()
    {
        Threads = 1,
        Device = new DeviceOptions { Name = name, Given = plugin, InMemory = inMemory },
    };

    private static int[] Tokens(Model model)
    {
        using var session = new Session(model);
        var options = new GenerationOptions { MaxTokens = 12, Sampling = new SamplingOptions { Temperature = 0 } };
        return [.. session.Generate(Prompt, options).ToBlockingEnumerable(TestContext.Current.CancellationToken).Select(token => token.Id)];
    }

    private sealed class TwinPlugin : IDevicePlugin, IDisposable
    {
        internal Twin? Device { get; private set; }

        internal int FailsAfter { get; init; } = int.MaxValue;

        internal long Room { get; init; } = long.MaxValue;

        public IReadOnlyList<DeviceInfo> List() => [new("twin", "the processor once more", 1, 1)];

        public IDevice Open(string name, DeviceModel model) => Device = new Twin(model, FailsAfter, Room);

        public void Dispose() => Device = null;
    }

    /// <summary>Keys and values stay in memory; the hidden state is its own.</summary>
    private sealed class Twin(DeviceModel model, int failsAfter, long room) : IDevice
    {
        private readonly Cpu _cpu = new(KernelSet.Select(null, emit: true), new WorkerPool(1), ActivationType.Q8, repacks: true);
        private readonly ActivationBuffer _hidden = new(model.MaxRows, model.Embedding);
        private Processor? _processor;

        public string Name => "twin";

        public long FreeBytes => room;

        internal int Passes { get; private set; }

        internal int Taken { get; private set; }

        internal int Given { get; private set; }

        private Processor Own => _processor ??= new Processor(_cpu, model.MaxRows, model.Embedding);

        public string? Refusal(Branch branch) => null;

        public long BytesOf(Branch branch) => 1;

        public long? BytesOf(OutputHead head) => 1;

        public IDeviceBranch Place(Branch branch) => new Placed(this, Own.Place(branch), null);

        public IDeviceHead Place(OutputHead head) => new Placed(this, null, Own.Place(head));

        public IDeviceCache? CreateCache(CacheShape shape, int blocks, IReadOnlyList<int> layers) => null;

        public void Begin(Batch batch)
        {
            if (Passes++ >= failsAfter)
                throw new DeviceException("twin is lost; use another device.");
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
            _processor?.Dispose();
            _hidden.Dispose();
            _cpu.Dispose();
        }

        private sealed class Placed(Twin device, IDeviceBranch? branch, IDeviceHead? head) : IDeviceBranch, IDeviceHead
        {
            public IDevice Device => device;

            public void Forward(Step step, in Activations x) => branch!.Forward(step, device._hidden.Rows(step.Rows));

            public void Forward(Step step, in Activations x, in Activations logits) => head!.Forward(step, device._hidden.Rows(step.Rows), logits);
        }
    }
}
