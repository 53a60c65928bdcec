using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Pure.Bench.EndToEnd;

/// <summary>Where and on what a figure was measured: without this a figure means nothing.</summary>
/// <param name="LoadBefore">Runnable processes over the minute before; far above zero, something else had a part of the machine.</param>
internal sealed record Machine(string Cpu, int Cores, string System, string Runtime, string Date, string Commit, double LoadBefore)
{
    public static Machine Describe() => new(
        CpuName(),
        Environment.ProcessorCount,
        $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}".ToLowerInvariant(),
        RuntimeInformation.FrameworkDescription,
        DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        CurrentCommit(),
        Load());

    private static string CpuName()
    {
        const string cpuInfo = "/proc/cpuinfo";
        string[] lines = File.Exists(cpuInfo) ? File.ReadAllLines(cpuInfo) : [];
        return $"{Value("model name")} (family {Value("cpu family")}, model {Value("model")})";

        string Value(string key) =>
            lines.Select(line => line.Split(':', 2)).FirstOrDefault(pair => pair[0].Trim() == key)?[1].Trim() ?? "unknown";
    }

    private static double Load()
    {
        const string loadAverage = "/proc/loadavg";
        return File.Exists(loadAverage) ? double.Parse(File.ReadAllText(loadAverage).Split(' ')[0], CultureInfo.InvariantCulture) : -1;
    }

    private static string CurrentCommit()
    {
        try
        {
            string head = Run("git", "rev-parse --short HEAD");
            return Run("git", "status --porcelain --untracked-files=no").Length == 0 ? head : head + " with changes";
        }
        catch (Exception error) when (error is Win32Exception or InvalidOperationException)
        {
            return "unknown";
        }
    }

    private static string Run(string command, string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{command} {arguments} failed.");
    }
}
