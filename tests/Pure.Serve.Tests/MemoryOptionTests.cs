using System.Diagnostics;

namespace Pure.Serve.Tests;

/// <summary>The options that say where weights lie in memory.</summary>
public sealed class MemoryOptionTests
{
    private static readonly string[] Story = ["run", "-p", "Once upon a time", "-n", "6", "--temp", "0", "--logits-hash"];

    [Theory]
    [InlineData("--no-mmap")]
    [InlineData("--populate")]
    [InlineData("--mlock")]
    [InlineData("--no-large-pages")]
    [InlineData("--no-mmap", "--populate", "--mlock", "--no-large-pages", "--no-repack")]
    public void No_option_changes_a_bit(params string[] options) =>
        Assert.Equal(CommandRun.Of(Story).Succeeds().LastErrorLine, CommandRun.Of([.. Story, .. options]).Succeeds().LastErrorLine);

    /// <summary>In a process of its own, which may lock 64 kB whoever started it.</summary>
    [Fact]
    public async Task A_limit_on_locked_memory_is_a_warning_that_names_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/prlimit") && File.Exists("/usr/bin/setpriv"), "Takes prlimit and setpriv of util-linux.");
        string pure = Path.Combine(AppContext.BaseDirectory, "pure");
        var start = new ProcessStartInfo("prlimit", ["--memlock=65536:65536", "setpriv", "--bounding-set=-ipc_lock", pure, .. Story, "--mlock"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen(errors.StartsWith("setpriv:", StringComparison.Ordinal), errors);
        Assert.True(process.ExitCode == 0, errors + await output);
        string warning = Assert.Single(errors.Split('\n'), line => line.StartsWith("pure: warning:", StringComparison.Ordinal));
        Assert.Matches(
            @"^pure: warning: The weights are not locked in memory: they take \d+ MB and this process may lock 0\.1 MB \(ulimit -l\); "
            + "raise that limit; the model runs without.$",
            warning);
        Assert.Equal(CommandRun.Of(Story).Succeeds().LastErrorLine, errors.TrimEnd('\n').Split('\n')[^1]);
    }
}
