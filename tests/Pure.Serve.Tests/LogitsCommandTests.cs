using System.Runtime.InteropServices;
using System.Text.Json;

namespace Pure.Serve.Tests;

public class LogitsCommandTests
{
    [Theory]
    [InlineData("llama-gqa", "f32", 1e-9)]
    [InlineData("deepseek2-lite-split", "f32", 1e-9)]
    public void The_file_holds_the_reference_logits_of_every_position(string name, string cacheType, double mostError)
    {
        string model = Shared.Path($"goldens/models/{name}.gguf");
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Shared.Path($"goldens/{name}.json")));
        string tokens = string.Join(',', golden.RootElement.GetProperty("tokens").EnumerateArray());
        float[] exact = Floats(File.ReadAllBytes(Shared.Path($"goldens/{name}.exact.bin")));
        using var folder = new TemporaryFolder();

        CommandRun.Of("logits", model, "--tokens", tokens, "--out", folder.File("l"), "--kv-type", cacheType).Succeeds();

        float[] logits = Floats(File.ReadAllBytes(folder.File("l")));
        Assert.Equal(exact.Length, logits.Length);
        double error = logits.Zip(exact, (a, b) => ((double)a - b) * ((double)a - b)).Sum();
        Assert.True(error / exact.Sum(b => (double)b * b) < mostError);
    }

    [Fact]
    public void Neither_chunks_nor_threads_change_a_byte_of_the_file()
    {
        string model = Shared.Path("goldens/models/llama-q256-Q4_K_M.gguf");
        using var folder = new TemporaryFolder();
        string tokens = string.Join(' ', Enumerable.Range(5, 40));

        CommandRun.Of("logits", model, "--tokens", tokens, "-o", folder.File("a"), "-t", "1").Succeeds();
        CommandRun.Of("logits", model, "--tokens", tokens, "-o", folder.File("b"), "-t", "3", "--prompt-chunk", "7").Succeeds();

        Assert.Equal(File.ReadAllBytes(folder.File("a")), File.ReadAllBytes(folder.File("b")));
    }

    [Fact]
    public void A_failed_run_leaves_no_file()
    {
        string model = Shared.Path("goldens/models/llama-gqa.gguf");
        using var folder = new TemporaryFolder();

        CommandRun.Of("logits", model, "--tokens", "1,320", "-o", folder.File("l")).IsRefused("token 320", "0 to 319");
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    [Fact]
    public void What_stood_there_is_replaced_only_by_a_whole_file()
    {
        string model = Shared.Path("goldens/models/llama-gqa.gguf");
        using var folder = new TemporaryFolder();
        string path = folder.Write("l", [1, 2, 3]);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        CommandRun stopped = CommandRun.Of([], cancelled.Token, "logits", model, "--tokens", "1,2", "-o", path);
        Assert.Equal(130, stopped.ExitCode);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(folder.Root));

        CommandRun.Of("logits", model, "--tokens", "1,2", "-o", path).Succeeds();
        Assert.Equal(2 * 320 * 4, new FileInfo(path).Length);
    }

    private static float[] Floats(byte[] bytes) => MemoryMarshal.Cast<byte, float>(bytes).ToArray();
}
