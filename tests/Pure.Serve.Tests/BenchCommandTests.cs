using System.Text.Json;
using Pure.Engine.Formats.Gguf;
using Pure.Serve.Benchmark;

namespace Pure.Serve.Tests;

/// <summary><c>pure bench</c>, on the embedded model and on small files.</summary>
public sealed class BenchCommandTests
{
    [Fact]
    public void Json_says_what_was_measured_and_how_fast()
    {
        JsonElement report = Only(Bench("-p", "8", "-n", "4", "--threads", "1", "--json"));

        Assert.Equal("Q8_0", report.GetProperty("type").GetString());
        Assert.Equal(1, report.GetProperty("threads").GetInt32());
        Assert.NotEmpty(report.GetProperty("isa").GetString()!);
        Assert.True(report.GetProperty("prefill_tps").GetDouble() > 0);
        Assert.True(report.GetProperty("decode_tps").GetDouble() > 0);
        Assert.InRange(report.GetProperty("weight_bytes_per_token").GetInt64(), 1, report.GetProperty("weight_bytes").GetInt64());
        Assert.True(report.GetProperty("read_bandwidth").GetDouble() > 1e8);
        Assert.True(report.TryGetProperty("allocated_bytes_per_token", out _)); // other tests allocate meanwhile
        Assert.True(report.GetProperty("barriers_per_layer").GetDouble() >= 1);
        Assert.False(report.TryGetProperty("shape", out _));
    }

    [Fact]
    public void Random_weights_are_written_whole_and_measured_under_their_names()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("made.gguf");
        ModelShape shape = ModelShape.Qwen3Moe with { Embedding = 256, Layers = 1, HeadSize = 64, Experts = 16, Vocabulary = 1000 };
        Write(shape, "Q4_K_M", path);

        JsonElement report = Only(Bench(path, "-p", "0", "-n", "2", "--json"));

        Assert.Equal("qwen3-moe", report.GetProperty("model").GetString());
        Assert.Equal("Q4_K", report.GetProperty("type").GetString());
        Assert.False(report.TryGetProperty("prefill_tps", out _));
        using GgufFile read = GgufFile.Open(path);
        double experts = read.Tensors.Where(tensor => tensor.Name.Contains("_exps.", StringComparison.Ordinal)).Sum(tensor => tensor.Bytes);
        Assert.True(report.GetProperty("weight_bytes_per_token").GetInt64() < report.GetProperty("weight_bytes").GetInt64() - (experts / 4));
        Assert.Single(Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void The_logits_do_not_depend_on_threads_or_chunks()
    {
        string[] lines = Bench("-p", "40", "-n", "0", "--threads", "1,2", "-r", "1", "--output", "json").Output.TrimEnd('\n').Split('\n');
        string chunked = Bench("-p", "40", "-n", "0", "--prompt-chunk", "7", "-r", "1", "--json").Output;

        string[] hashes = [.. lines.Append(chunked).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("logits_hash").GetString()!)];
        Assert.Equal(3, hashes.Length);
        Assert.Single(hashes.Distinct());
    }

    /// <summary>Wide enough that every region has work for several threads, or it would not count.</summary>
    [Theory]
    [InlineData("dense-1b", 0)]
    [InlineData("dense-1b", 1100)]
    [InlineData("mla-moe", 0)]
    [InlineData("mla-moe", 1100)]
    [InlineData("qwen3-moe", 0)]
    [InlineData("qwen3-moe", 1100)]
    public void Decoding_crosses_at_most_six_barriers_per_layer_at_any_depth(string name, int depth)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("made.gguf");
        ModelShape shape = ModelShape.All.First(shape => shape.Name == name) with
        {
            Embedding = 1024,
            Layers = 2,
            DenseLayers = 0,
            Vocabulary = 1000,
            Hidden = 1024,
        };
        if (shape.Experts > 0)
            shape = shape with { Experts = 64, UsedExperts = 4, ExpertHidden = 128 };
        if (shape.LatentSize > 0)
            shape = shape with { QueryRank = 512, LatentSize = 128, HeadSize = 32, RopeSize = 32 };
        Write(shape, "Q8_0", path);

        JsonElement report = Only(Bench(path, "-p", "0", "-n", "2", "-d", $"{depth}", "-r", "1", "--threads", "3", "--json"));

        Assert.InRange(report.GetProperty("barriers_per_layer").GetDouble(), 5, 6);
    }

    [Theory]
    [InlineData("table", "pp8 @ d3", "tg2 × 2 @ d3")]
    [InlineData("markdown", "| test |", "tg2 × 2 @ d3")]
    [InlineData("csv", "prefill_tps,", "machine_cpu")]
    public void Tables_name_each_test(string form, params string[] parts)
    {
        string output = Bench("-p", "8", "-n", "2", "-d", "3", "--batch", "2", "-r", "1", "--output", form).Output;

        Assert.All(parts, part => Assert.Contains(part, output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--shape is \"dense-2b\"", "dense-1b", "bench", "--shape", "dense-2b")]
    [InlineData("--type is \"Q4_Z\"", "Q4_K_M", "bench", "--shape", "dense-1b", "--type", "Q4_Z")]
    [InlineData("some.gguf", "--shape", "bench", "some.gguf", "--shape", "dense-1b")]
    [InlineData("--export", "--shape", "bench", "--export", "made.gguf")]
    [InlineData("--type", "--shape", "bench", "some.gguf", "--type", "Q4_0")]
    [InlineData("--threads is \"0\"", "from 1", "bench", "--threads", "0")]
    [InlineData("--threads is \"1,x\"", "from 1", "bench", "--threads", "1,x")]
    [InlineData("--prompt is \"-1\"", "from 0", "bench", "-p", "-1")]
    [InlineData("nothing to measure", "-p", "bench", "-p", "0", "-n", "0")]
    [InlineData("512", "context", "bench", "-p", "500", "--depth", "100")]
    [InlineData("--output is \"xml\"", "markdown", "bench", "--output", "xml")]
    [InlineData("no such folder", "create it", "bench", "--shape", "dense-1b", "--export", "no such folder/made.gguf")]
    public void What_cannot_be_measured_is_one_sentence(string found, string hint, params string[] args) =>
        CommandRun.Of(args).IsRefused(found, hint);

    private static void Write(ModelShape shape, string mix, string path)
    {
        using OutputFile file = OutputFile.Create(path);
        RandomModel.Create(shape, WeightMix.All.First(one => one.Name == mix), seed: 1).Write(file.Stream);
        file.Complete();
    }

    private static CommandRun Bench(params string[] args) => CommandRun.Of(["bench", .. args]).Succeeds();

    private static JsonElement Only(CommandRun run) => JsonDocument.Parse(Assert.Single(run.Output.TrimEnd('\n').Split('\n'))).RootElement;
}
