using System.Diagnostics;
using System.Text.Json;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Serve.Benchmark;

namespace Pure.Serve.Tests;

/// <summary>Very long texts on a small model: what memory they take, in a process of their own, and what was declared.</summary>
public sealed class LongContextTests : IDisposable
{
    // 131,072 and 200,000 tokens take minutes: PURE_LONG_CONTEXT=1 asks for them. By hand, without tests:
    // pure bench --shape mla-tiny --export tiny.gguf && pure bench tiny.gguf -p 0 -n 16 --depth 200000 -r 1 --json
    private const string Variable = "PURE_LONG_CONTEXT";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(32_768)]
    [InlineData(131_072)]
    [InlineData(200_000)]
    public void A_long_text_takes_the_memory_that_was_declared(int depth)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "What the runtime takes was measured on Linux.");
        Assert.SkipUnless(depth < 100_000 || Environment.GetEnvironmentVariable(Variable) is not null, $"{Variable}=1 asks for this; it takes minutes.");
        string model = _folder.File("tiny.gguf");
        CommandRun.Of("bench", "--shape", "mla-tiny", "--export", model).Succeeds();

        JsonElement report = Bench(model, "-p", "0", "-n", "4", "--depth", $"{depth}", "-r", "1", "--json");

        double peak = report.GetProperty("memory_peak").GetInt64();
        double declared = report.GetProperty("memory_declared").GetInt64();
        TestContext.Current.TestOutputHelper!.WriteLine($"{depth} tokens: {peak / 1e6:0.00} MB at the peak, {declared / 1e6:0.00} MB declared");

        // At the small depth nearly all is the runtime's, which varies by some megabytes.
        double tolerance = depth < 100_000 ? 0.1 : 0.05;
        Assert.InRange(peak / declared, 1 - tolerance, 1 + tolerance);
        JsonElement memory = JsonDocument.Parse(CommandRun.Of("info", model, "-c", $"{depth + 4}", "--json").Succeeds().OutputBytes)
            .RootElement.GetProperty("memory");
        Assert.Equal(declared, memory.GetProperty("total_bytes").GetInt64());

        // Scores of all pairs, as floats, would take this; the whole process takes far less.
        double naive = (double)ModelShape.MlaTiny.Heads * depth * depth * sizeof(float);
        Assert.InRange(peak, 0, 0.28 * naive);
    }

    [Fact]
    public void Buffers_do_not_grow_with_the_text_but_for_its_ids()
    {
        using Model model = Load(ModelShape.MlaTiny);
        long buffers = model.MemoryFor(32_768).Buffers;
        double naive = (double)ModelShape.MlaTiny.Heads * 32_768 * 32_768 * sizeof(float);
        Assert.InRange(buffers, 0, 0.28 * naive);
        Assert.Equal(buffers + (sizeof(int) * (200_000L - 32_768)), model.MemoryFor(200_000).Buffers);
    }

    [Fact]
    public void The_cache_of_latent_attention_is_the_latent_and_its_rotary_key()
    {
        ModelShape[] shapes =
        [
            ModelShape.MlaTiny,
            ModelShape.MlaMoe with { Embedding = 256, Layers = 3, Heads = 2, KvHeads = 2, Hidden = 352, QueryRank = 256, Experts = 16, ExpertHidden = 96, Vocabulary = 1000 },
        ];
        foreach (ModelShape shape in shapes)
        {
            using Model model = Load(shape);
            Assert.Equal(shape.LatentSize + shape.RopeSize, model.CacheShape.Columns);
            Assert.Equal(shape.Layers, model.CacheShape.Layers);
            Assert.Equal(shape.Layers * (shape.LatentSize + shape.RopeSize) * 2L * 1000, model.MemoryFor(1000).Cache);
            Assert.Equal(shape.Layers * (shape.LatentSize + shape.RopeSize) * 4L, model.CacheShape.BytesPerPosition(CacheType.F32));
        }
    }

    private static Model Load(ModelShape shape) =>
        Model.Load(GgufFile.Open(RandomModel.Create(shape, WeightMix.All.First(mix => mix.Name == "Q4_0"), seed: 1), shape.Name));

    /// <summary>In a process of its own: this one has done other things.</summary>
    private static JsonElement Bench(params string[] args)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "pure"), ["bench", .. args]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return JsonDocument.Parse(output).RootElement;
    }
}
