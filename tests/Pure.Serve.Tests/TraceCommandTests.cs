using System.Runtime.InteropServices;
using Pure.Engine.Formats.Safetensors;

namespace Pure.Serve.Tests;

public sealed class TraceCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("f32", SafetensorsType.F32)]
    [InlineData("f64", SafetensorsType.F64)]
    public void The_file_holds_every_intermediate_and_says_how_it_was_made(string precision, SafetensorsType type)
    {
        string path = _folder.File("trace.safetensors");
        CommandRun run = CommandRun.Of("trace", BentModel.Original, "--tokens", "5,6,7", "--out", path, "--precision", precision).Succeeds();

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(17, file.Tensors.Count);
        Assert.All(file.Tensors, tensor => Assert.Equal(type, tensor.Type));
        Assert.All(file.Tensors, tensor => Assert.Equal(3, tensor.Shape[0]));
        Assert.Equal("embedding", file.Tensors[0].Name);
        Assert.True(file.TryGetTensor("blk.1.router_logits", out SafetensorsTensor? router));
        Assert.Equal([3, 8], router.Shape);
        Assert.Equal("llama-mixtral.gguf", file.Metadata["model"]);
        Assert.Equal("5,6,7", file.Metadata["tokens"]);
        Assert.Equal(precision == "f32", file.Metadata.TryGetValue("kv_type", out string? kvType) && kvType == "f16");
        Assert.Contains("17 tensors of 3 positions", run.Errors, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(_folder.Root));
    }

    [Fact]
    public void Chunks_and_threads_change_no_byte_of_a_trace()
    {
        string whole = _folder.File("whole");
        string parts = _folder.File("parts");
        CommandRun.Of("trace", BentModel.Original, "--tokens", "5 6 7 8 9 10 11", "-o", whole, "-t", "1").Succeeds();
        CommandRun.Of("trace", BentModel.Original, "--tokens", "5 6 7 8 9 10 11", "-o", parts, "-t", "2", "--prompt-chunk", "3").Succeeds();

        Assert.Equal(File.ReadAllBytes(whole), File.ReadAllBytes(parts));
    }

    [Fact]
    public void A_text_is_traced_by_the_models_own_tokens()
    {
        string path = _folder.File("trace");
        CommandRun.Of("trace", "-p", "Once upon a time", "-o", path).Succeeds();

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal("0,439,448,274,411", file.Metadata["tokens"]);
    }

    [Fact]
    public void Logits_in_double_precision_are_those_of_the_trace_rounded()
    {
        string trace = _folder.File("trace");
        string logits = _folder.File("logits");
        CommandRun.Of("trace", BentModel.Original, "--tokens", "5,6", "-o", trace, "--precision", "f64").Succeeds();
        CommandRun.Of("logits", BentModel.Original, "--tokens", "5,6", "-o", logits, "--precision", "f64").Succeeds();

        using SafetensorsFile file = SafetensorsFile.Open(trace);
        Assert.True(file.TryGetTensor("logits", out SafetensorsTensor? exact));
        double[] expected = MemoryMarshal.Cast<byte, double>(exact.Data.AsSpan(0, (int)exact.Data.Length)).ToArray();
        Assert.Equal(expected.Select(value => (float)value), MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(logits)).ToArray());
    }

    [Fact]
    public void A_failed_run_leaves_no_file()
    {
        string path = _folder.File("trace");

        CommandRun.Of("trace", BentModel.Original, "--tokens", "1,320", "-o", path).IsRefused("token 320", "0 to 319");
        CommandRun.Of("trace", BentModel.Original, "--tokens", "1").IsRefused("--out F");
        CommandRun.Of("trace", BentModel.Original, "-o", path).IsRefused("trace needs", "--tokens IDS");
        CommandRun.Of("trace", BentModel.Original, "--tokens", "1", "-o", path, "--precision", "f16").IsRefused("f32, f64");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Equal(130, CommandRun.Of([], cancelled.Token, "trace", BentModel.Original, "--tokens", "1", "-o", path, "--precision", "f64").ExitCode);
        Assert.Empty(Directory.GetFiles(_folder.Root));
    }
}
