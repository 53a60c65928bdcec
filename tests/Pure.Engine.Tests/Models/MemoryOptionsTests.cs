using System.Globalization;
using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Models;

/// <summary>Where weights lie, and when they come there, changes no bit.</summary>
public sealed class MemoryOptionsTests
{
    public static TheoryData<string> Goldens =>
        ["llama-gqa", "llama-q256-Q4_0", "llama-q256-Q4_K_M", "qwen3moe-q256-Q4_K_M", "deepseek2-v3-q256-Q6_K", "deepseek2-v3-kvb"];

    private static IEnumerable<MemoryOptions> Every =>
    [
        new() { Map = false },
        new() { Populate = true },
        new() { Lock = true },
        new() { LargePages = false },
        new() { Map = false, Populate = true, Lock = true, LargePages = false },
    ];

    [Theory, MemberData(nameof(Goldens))]
    public void Every_option_gives_the_same_bits(string name)
    {
        Golden golden = Golden.Open(name);
        float[] expected = Logits(golden.ModelPath, golden, new());
        foreach (MemoryOptions memory in Every)
        {
            Assert.Equal(expected, Logits(golden.ModelPath, golden, new() { Memory = memory }));
            Assert.Equal(expected, Logits(golden.ModelPath, golden, new() { Memory = memory, Repack = false }));
        }
    }

    [Theory]
    [InlineData("llama-q256-Q4_0")]
    [InlineData("qwen3moe-q256-Q4_K_M")]
    public void Few_places_for_experts_go_with_every_option(string name)
    {
        Golden golden = Golden.Open(name);
        float[] expected = Logits(golden.ModelPath, golden, new());
        foreach (MemoryOptions memory in Every)
            Assert.Equal(expected, Logits(golden.ModelPath, golden, new() { Memory = memory, MemoryLimit = 1L << 40, ExpertSlots = 3 }));
    }

    /// <summary>A shared mapping shows what the file has now: once it is wiped, nothing may be read from there.</summary>
    [Theory, MemberData(nameof(Goldens))]
    public void Without_mapping_no_matrix_is_read_from_the_file_once_it_is_loaded(string name)
    {
        Golden golden = Golden.Open(name);
        float[] expected = Logits(golden.ModelPath, golden, new());
        foreach (bool repack in (bool[])[true, false])
        {
            string copy = Path.GetTempFileName();
            try
            {
                File.Copy(golden.ModelPath, copy, overwrite: true);
                using Model model = Model.Load(copy, new ModelOptions { Memory = new() { Map = false }, Repack = repack });
                using (var writer = new FileStream(copy, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
                    writer.Write(new byte[new FileInfo(copy).Length]);
                Assert.Equal(expected, Run.Logits(model, golden.Tokens));
            }
            finally
            {
                File.Delete(copy);
            }
        }
    }

    [Fact]
    public void Populated_weights_are_rearranged_when_the_model_is_loaded()
    {
        Golden golden = Golden.Open("llama-q256-Q4_0");
        using Model lazy = Model.Load(golden.ModelPath, new ModelOptions());
        using Model eager = Model.Load(golden.ModelPath, new ModelOptions { Memory = new() { Populate = true } });
        Assert.Equal(0, lazy.ReadWeights());
        long read = eager.ReadWeights();
        Run.Logits(lazy, golden.Tokens);
        Assert.Equal(eager.Isa == Isa.Scalar, read == 0);
        Assert.Equal(read, lazy.ReadWeights());
    }

    [Fact]
    public void Locked_weights_are_locked_until_the_model_is_disposed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells how much is locked.");
        Golden golden = Golden.Open("llama-q256-Q4_0");
        string? warning = null;
        long before = LockedKilobytes();
        using (Model model = Model.Load(golden.ModelPath, new ModelOptions { Memory = new() { Lock = true }, Warn = text => warning = text }))
        {
            Assert.SkipWhen(warning is not null, warning ?? "");
            Assert.InRange(LockedKilobytes() - before, model.Info.WeightBytes / 1200, long.MaxValue);
        }

        Assert.InRange(LockedKilobytes(), 0, before);
    }

    [Fact]
    public void Large_pages_are_asked_for_unless_they_are_not_wanted()
    {
        using var wanted = new AlignedBuffer<byte>(16 << 20, largePages: true);
        using var unwanted = new AlignedBuffer<byte>(16 << 20, largePages: false);
        Assert.Equal(OperatingSystem.IsLinux(), wanted.IsLarge);
        Assert.False(unwanted.IsLarge);
        Assert.All((byte[])[unwanted.Span[0], unwanted.Span[^1]], value => Assert.Equal(0, value));
    }

    private static long LockedKilobytes()
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmLck:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private static float[] Logits(string path, Golden golden, ModelOptions options)
    {
        using var model = Model.Load(path, options);
        return Run.Logits(model, golden.Tokens);
    }
}
