using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Pure.Serve.Tests;

/// <summary>What only a process of its own shows: its environment, its signals, the bytes of its arguments.</summary>
public class ProcessTests
{
    private static readonly string Pure = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "pure.exe" : "pure");

    [Fact]
    public void The_environment_names_the_instruction_set_and_the_option_goes_before_it()
    {
        Assert.Equal("scalar", Isa(Run(("PURE_ISA", "scalar"), "info", "--json")));
        Assert.Equal("scalar", Isa(Run(("PURE_ISA", "nonsense"), "info", "--json", "--isa", "scalar")));
        Refused(Run(("PURE_ISA", "nonsense"), "info"), "PURE_ISA", "nonsense");
        Refused(Run(("DOTNET_EnableHWIntrinsic", "0"), "run", "-p", "Once", "--isa", "avx2"), "avx2", "scalar");

        static string? Isa(Finished run) =>
            JsonDocument.Parse(run.Output).RootElement.GetProperty("run").GetProperty("isa").GetString();
    }

    [Fact]
    public void An_argument_that_is_not_utf_8_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Arguments are bytes on Linux only.");
        Refused(Run(("PURE", Pure), "sh", ["-c", "\"$PURE\" run -p \"$(printf 'a\\377b')\""]), "--prompt is not UTF-8 at character 1");
    }

    [Fact]
    public void Control_c_ends_the_line_shows_the_figures_and_gives_130()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Signals are sent by libc's kill.");
        Assert.SkipWhen(IgnoresInterrupts(), "SIGINT is ignored in this process, as in a shell's background, and a child inherits that.");
        string[] args = ["run", "-p", "Once upon a time", "-n", "480", "--temp", "1", "--isa", "scalar", "-t", "1"];
        using Process process = Start(("PURE_ISA", null), Pure, args);
        var first = new char[1];
        Assert.Equal(1, process.StandardOutput.ReadBlock(first));
        const int Interrupt = 2;
        Assert.Equal(0, Signal(process.Id, Interrupt)); // a story may end before a process that sends it has started

        Finished run = Finish(process);
        Assert.Equal(130, run.ExitCode);
        Assert.EndsWith("\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("finished    interrupted\n", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plugin_is_not_looked_for_before_a_device_is_asked_for()
    {
        (string, string) nowhere = ("PURE_GPU_PLUGIN", "/nowhere/Pure.Gpu.dll");
        Finished run = Run(nowhere, "run", "-p", "Once", "-n", "1");
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("plugin", run.Errors, StringComparison.Ordinal);
        Finished left = Run(nowhere, "run", "-p", "Once", "-n", "1", "--device", "auto");
        Assert.Equal((0, run.Output), (left.ExitCode, left.Output));
        Assert.Contains("pure: warning: --device auto takes the processor: There is no GPU plugin", left.Errors, StringComparison.Ordinal);
        Refused(Run(nowhere, "run", "-p", "Once", "--device", "cuda:0"), "There is no GPU plugin /nowhere/Pure.Gpu.dll");
    }

    [Fact]
    public void A_full_disk_is_one_sentence()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full.");
        Finished run = Run(("PURE", Pure), "sh", ["-c", "\"$PURE\" --help > /dev/full"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Matches(@"\Apure: [^\n]+\.\n\z", run.Errors);
    }

    [Fact]
    public void A_pipe_that_closes_early_is_no_failure()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "It needs a shell.");
        Finished run = Run(("PURE", Pure), "sh", ["-c", "{ \"$PURE\" run -p Once -n 100 --temp 1; echo $? >&2; } | head -c 3"]);
        Assert.Equal("0\n", run.Errors);
    }

    private static void Refused(Finished run, params string[] facts) =>
        new CommandRun(run.ExitCode, System.Text.Encoding.UTF8.GetBytes(run.Output), run.Errors).IsRefused(facts);

    private static Finished Run((string Name, string Value) variable, params string[] args) => Run(variable, Pure, args);

    private static Finished Run((string Name, string Value) variable, string program, string[] args) =>
        Finish(Start(variable, program, args));

    private static Process Start((string Name, string? Value) variable, string program, string[] args)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("PURE_ISA");
        start.Environment[variable.Name] = variable.Value;
        return Process.Start(start)!;
    }

    private static Finished Finish(Process process)
    {
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Finished(process.ExitCode, output, errors.Result);
    }

    private sealed record Finished(int ExitCode, string Output, string Errors);

    // Bit 1 of the mask of ignored signals stands for SIGINT.
    private static bool IgnoresInterrupts() => File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))
        .Any(line => (Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16) & 2) != 0);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);
}
