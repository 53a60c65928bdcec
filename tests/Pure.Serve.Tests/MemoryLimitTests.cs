using System.Diagnostics;
using System.Text.Json;

namespace Pure.Serve.Tests;

/// <summary>A mixture of experts in a memory that holds half of it.</summary>
public sealed class MemoryLimitTests
{
    private const string Version1 = "/sys/fs/cgroup/memory";
    private const string Version2 = "/sys/fs/cgroup";

    [Fact]
    public void Half_the_memory_gives_the_same_logits()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has memory cgroups.");
        using var folder = new TemporaryFolder();
        string file = folder.File("model.gguf");
        Assert.SkipUnless(new DriveInfo(folder.Root).AvailableFreeSpace > 3_000_000_000, "The disk has not 3 GB free for the model.");
        string group = $"{(File.Exists($"{Version2}/cgroup.controllers") ? Version2 : Version1)}/pure-test-{Environment.ProcessId}";
        CommandRun.Of("bench", "--shape", "qwen3-moe", "--type", "Q4_0", "--export", file).Succeeds();
        long limit = new FileInfo(file).Length / 2;
        Assert.SkipUnless(TryCreate(group, limit), $"No memory cgroup can be made at {group}: that takes root, and a system that lets containers do it.");
        try
        {
            string unlimited = ErrorLines(null, file)[^1];
            Assert.Equal(unlimited, ErrorLines(group, file, "--memory-limit", $"{limit * 97 / 100}")[^1]);

            // Without being told: the group's limit is found, and what it is used for is said.
            string[] automatic = ErrorLines(group, file);
            Assert.Equal(unlimited, automatic[^1]);
            Assert.Contains(
                automatic, line => line.StartsWith("memory ", StringComparison.Ordinal) && line.Contains("experts; the others are read when needed", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(group);
        }
    }

    [Theory]
    [InlineData("700000M", 700_000_000_000)]
    [InlineData("150.5G", 150_500_000_000)]
    [InlineData("2TiB", 2_199_023_255_552)]
    [InlineData("64000000kb", 64_000_000_000)]
    [InlineData("123456789012", 123_456_789_012)]
    public void Sizes_are_read_as_people_write_them(string given, long bytes)
    {
        using JsonDocument info = JsonDocument.Parse(CommandRun.Of("info", "--memory-limit", given, "--json").Succeeds().Output);
        Assert.Equal(bytes, info.RootElement.GetProperty("limited").GetProperty("limit").GetInt64());
    }

    [Fact]
    public void A_limit_that_is_too_small_is_refused_with_the_least_that_works() =>
        CommandRun.Of("info", "--memory-limit", "64kb").IsRefused("get by with 0 MB of memory and needs at least", "raise the limit");

    [Theory]
    [InlineData("")]
    [InlineData("-1G")]
    [InlineData("0")]
    [InlineData("1X")]
    [InlineData("Gi")]
    [InlineData("1e30G")]
    public void What_is_no_size_is_refused(string given) =>
        CommandRun.Of("info", "--memory-limit", given).IsRefused("--memory-limit", "700M");

    [Fact]
    public void Info_shows_what_a_limited_memory_would_be_used_for() =>
        Assert.Contains("limited        64.00 GB limit: everything fits (", CommandRun.Of("info", "--memory-limit", "64G").Succeeds().Output, StringComparison.Ordinal);

    private static bool TryCreate(string group, long limit)
    {
        try
        {
            Directory.CreateDirectory(group);
            string file = Path.Combine(group, group.StartsWith(Version1 + "/", StringComparison.Ordinal) ? "memory.limit_in_bytes" : "memory.max");
            if (File.Exists(file))
            {
                File.WriteAllText(file, $"{limit}");
                return true;
            }

            Directory.Delete(group);
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (Directory.Exists(group))
                Directory.Delete(group);
            return false;
        }
    }

    /// <summary>What is said of a short text; the last line is the logits' hash. The system first forgets the file, whose pages would count against whoever read them.</summary>
    private static string[] ErrorLines(string? group, string file, params string[] options)
    {
        string pure = Path.Combine(AppContext.BaseDirectory, "pure");
        string script = "dd if=\"$1\" iflag=nocache count=0 2>/dev/null; " + (group is null ? "" : $"echo $$ > {group}/cgroup.procs; ")
            + "file=$1; shift; exec \"$0\" run \"$file\" -p 'Once upon a time' -n 6 --temp 0 --logits-hash \"$@\"";
        var start = new ProcessStartInfo("bash", ["-c", script, pure, file, .. options]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors + output.Result);
        return errors.TrimEnd('\n').Split('\n');
    }
}
