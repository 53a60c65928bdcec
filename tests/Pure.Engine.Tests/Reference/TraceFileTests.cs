using Pure.Engine.Formats.Safetensors;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Reference;

namespace Pure.Engine.Tests.Reference;

public sealed class TraceFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"pure-trace-{Guid.NewGuid():N}.safetensors");

    public void Dispose() => File.Delete(_path);

    /// <summary>The engine's floats and the reference's doubles against traces of mathematics that nobody here wrote.</summary>
    [Theory]
    [InlineData("deepseek2-v2-kvb")]
    [InlineData("deepseek2-v3-kvb")]
    [InlineData("gpt-oss")]
    [InlineData("llama-gqa")]
    [InlineData("llama-mixtral")]
    [InlineData("olmoe")]
    [InlineData("qwen2moe")]
    public void Traces_agree_with_the_stored_ones(string name)
    {
        TraceFile theirs = TraceFile.Read(Shared.Path("goldens", "trace", $"{name}.safetensors"));
        int[] tokens = [.. theirs.Metadata["tokens"].Split(',').Select(int.Parse)];
        using var model = Model.Load(
            Shared.Path("goldens", "models", $"{name}.gguf"), new ModelOptions { Threads = 1, CacheType = CacheType.F32 });
        var exact = new Trace();
        new ReferenceModel(model).Logits(tokens, exact, TestContext.Current.CancellationToken);

        RequireEqual(Fast(model, tokens), theirs.Trace, 1e-5);
        RequireEqual(exact, theirs.Trace, 1e-12);
    }

    [Theory]
    [InlineData(SafetensorsType.F32)]
    [InlineData(SafetensorsType.F64)]
    public void What_is_written_is_read_again(SafetensorsType type)
    {
        var trace = new Trace();
        trace.Add("embedding", [1, -2.5, 0.125]);
        trace.Add("embedding", [3, 4, float.MaxValue]);
        trace.Add("blk.0.attn_norm", [7]);
        var metadata = new Dictionary<string, string> { ["tokens"] = "1,2", ["model"] = "a \"quoted\" näme" };
        using (FileStream file = File.Create(_path))
            new TraceFile(trace, metadata).Write(file, type);

        TraceFile read = TraceFile.Read(_path);

        Assert.Equal(metadata, read.Metadata);
        Assert.Equal(["embedding", "blk.0.attn_norm"], read.Trace.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([1, -2.5, 0.125], read.Trace["embedding"][0]);
        Assert.Equal([3, 4, float.MaxValue], read.Trace["embedding"][1]);
        Assert.Equal([7], read.Trace["blk.0.attn_norm"][0]);
    }

    [Fact]
    public void The_data_begins_at_a_multiple_of_eight_bytes()
    {
        for (int length = 1; length < 20; length++)
        {
            using var file = new MemoryStream();
            SafetensorsWriter.Write(
                file,
                [new SafetensorsContent(new string('n', length), SafetensorsType.U8, [1], stream => stream.WriteByte(9))],
                new Dictionary<string, string>());

            Assert.Equal(1, file.Length % 8);
            Assert.Equal(9, file.ToArray()[^1]);
        }
    }

    [Fact]
    public void Other_engines_shapes_and_short_floats_are_read()
    {
        byte[] halves = [.. BitConverter.GetBytes((Half)1.5), .. BitConverter.GetBytes((Half)(-2)), .. BitConverter.GetBytes((Half)0.25)];
        byte[] brains = [0xC0, 0x3F, 0x00, 0xC0]; // 1.5 and -2
        using (FileStream file = File.Create(_path))
        {
            SafetensorsWriter.Write(
                file,
                [
                    new SafetensorsContent("batch of one", SafetensorsType.F16, [1, 3, 1], stream => stream.Write(halves)),
                    new SafetensorsContent("heads", SafetensorsType.BF16, [1, 2, 1], stream => stream.Write(brains)),
                    new SafetensorsContent("vector", SafetensorsType.BF16, [2], stream => stream.Write(brains)),
                    new SafetensorsContent("ids", SafetensorsType.I32, [1], stream => stream.Write([1, 0, 0, 0])),
                ],
                new Dictionary<string, string>());
        }

        Trace trace = TraceFile.Read(_path).Trace;

        Assert.Equal(["batch of one", "heads", "vector"], trace.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([3, 1], [trace["batch of one"].Rows, trace["batch of one"].Columns]);
        Assert.Equal(-2, trace["batch of one"][1][0]);
        Assert.Equal(-2, trace["heads"][1][0]);
        Assert.Equal([1.5, -2], trace["vector"][0]);
    }

    private static void RequireEqual(Trace ours, Trace theirs, double tolerance)
    {
        TraceComparison comparison = TraceComparison.Of(ours, theirs, tolerance);
        Assert.True(comparison.First is null, $"{comparison.First}");
        Assert.Empty(comparison.OnlyOurs);
        Assert.Empty(comparison.OnlyTheirs);
        Assert.Equal(theirs.Tensors.Count, comparison.Tensors.Count);
    }

    private static Trace Fast(Model model, int[] tokens)
    {
        using KvCache cache = model.CreateCache(tokens.Length);
        using Sequence sequence = cache.CreateSequence();
        var trace = new Trace();
        var batch = new Batch(tokens.Length);
        foreach (int token in tokens)
            batch.Add(sequence, token, wantsLogits: true);
        model.Forward(batch, trace);
        return trace;
    }
}
