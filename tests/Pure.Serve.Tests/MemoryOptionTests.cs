using System.Diagnostics;

namespace Pure.Serve.Tests;

/// <summary>The options that say where weights lie in memory.</summary>
public sealed class MemoryOptionTests
{
    private static readonly string[] Story = ["run", "-p", "Once upon a time", "-n", "6", "--temp", "0", "--logits-hash"];
    private static readonly string Pure = Path.Combine(AppContext.BaseDirectory, "pure");

    [Theory]
    [InlineData("--no-mmap")]
    [InlineData("--populate")]
    [InlineData("--mlock")]
    [InlineData("--no-large-pages")]
    [InlineData("--no-mmap", "--populate", "--mlock", "--no-large-pages", "--no-repack")]
    public void No_option_changes_a_bit(params string[] options) =>
        Assert.Equal(CommandRun.Of(Story).Succeeds().LastErrorLine, CommandRun.Of([.. Story, .. options]).Succeeds().LastErrorLine);

    [Fact]
    public void Rearranged_weights_are_kept_beside_the_model()
    {
        SkipWhereNothingIsRearranged();
        using var folder = new TemporaryFolder();
        (string model, string[] logits, byte[] expected) = LogitsOfAModel(folder);
        foreach (string[] options in (string[][])[["--repack-cache"], ["--repack-cache", folder.Root], ["--repack-cache", "--populate"]])
        {
            CommandRun run = CommandRun.Of([.. logits, .. options]).Succeeds();
            Assert.DoesNotContain("warning", run.Errors, StringComparison.Ordinal);
            Assert.Equal(expected, File.ReadAllBytes(folder.File("logits")));
        }

        Assert.True(File.Exists(model + ".pure-x16"));
    }

    [Fact]
    public void A_cache_where_there_is_no_folder_is_refused() =>
        CommandRun.Of("run", "-p", "x", "--repack-cache", "no-such-folder").IsRefused("--repack-cache", "no-such-folder", "MODEL goes before it");

    [Fact]
    public void A_cache_of_what_is_not_rearranged_is_refused() =>
        CommandRun.Of("run", "-p", "x", "--repack-cache", "--no-repack").IsRefused("--repack-cache", "--no-repack", "give one of them");

    /// <summary>In a process of its own, with a file system of 64 kB.</summary>
    [Fact]
    public async Task A_full_disk_is_a_warning_and_leaves_no_half_file()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/unshare"), "Takes unshare of util-linux.");
        SkipWhereNothingIsRearranged();
        using var folder = new TemporaryFolder();
        (string model, string[] logits, byte[] expected) = LogitsOfAModel(folder);
        File.Delete(folder.File("logits"));
        string small = Directory.CreateDirectory(folder.File("small")).FullName;
        string script = $"mount -t tmpfs -o size=64k tmpfs '{small}' || exit 99; \"$0\" \"$@\" && ls -A '{small}'";
        (int code, string output, string errors) = await Run("unshare", ["-m", "bash", "-c", script, Pure, .. logits, "--repack-cache", small]);
        Assert.SkipWhen(code == 99 || errors.StartsWith("unshare:", StringComparison.Ordinal), errors);
        Assert.True(code == 0, errors);
        Assert.DoesNotContain("pure-x16", output, StringComparison.Ordinal);
        Assert.Contains("the rearranged weights are not kept", OnlyWarning(errors), StringComparison.Ordinal);
        Assert.Equal(expected, File.ReadAllBytes(folder.File("logits")));
    }

    private static void SkipWhereNothingIsRearranged() => Assert.SkipWhen(
        CommandRun.Of("info").Succeeds().Output.Contains("run here with  scalar", StringComparison.Ordinal), "Scalar kernels read weights as they are stored.");

    /// <summary>In a process of its own, which may lock 64 kB whoever started it.</summary>
    [Fact]
    public async Task A_limit_on_locked_memory_is_a_warning_that_names_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/prlimit") && File.Exists("/usr/bin/setpriv"), "Takes prlimit and setpriv of util-linux.");
        (int code, string output, string errors) =
            await Run("prlimit", ["--memlock=65536:65536", "setpriv", "--bounding-set=-ipc_lock", Pure, .. Story, "--mlock"]);
        Assert.SkipWhen(errors.StartsWith("setpriv:", StringComparison.Ordinal), errors);
        Assert.True(code == 0, errors + output);
        Assert.Matches(
            @"^pure: warning: The weights are not locked in memory: they take \d+ MB and this process may lock 0\.1 MB \(ulimit -l\); "
            + "raise that limit; the model runs without.$",
            OnlyWarning(errors));
        Assert.Equal(CommandRun.Of(Story).Succeeds().LastErrorLine, errors.TrimEnd('\n').Split('\n')[^1]);
    }

    /// <summary>A model in a folder, what writes logits of it there, and these logits.</summary>
    private static (string Model, string[] Command, byte[] Logits) LogitsOfAModel(TemporaryFolder folder)
    {
        string model = folder.File("model.gguf");
        File.Copy(Shared.Path("goldens/models/llama-q256-Q8_0.gguf"), model);
        string[] command = ["logits", model, "--tokens", "1,2,3,4", "--out", folder.File("logits")];
        CommandRun.Of(command).Succeeds();
        return (model, command, File.ReadAllBytes(folder.File("logits")));
    }

    private static string OnlyWarning(string errors) =>
        Assert.Single(errors.Split('\n'), line => line.StartsWith("pure: warning:", StringComparison.Ordinal));

    private static async Task<(int Code, string Output, string Errors)> Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, errors);
    }
}
