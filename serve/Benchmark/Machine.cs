using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Pure.Serve.Benchmark;

/// <summary>Where and on what a figure was measured: without this a figure means nothing.</summary>
/// <param name="Cpu">The processor's name, family and model.</param>
/// <param name="Cores">Processors that this process may use.</param>
/// <param name="System">Operating system and architecture.</param>
/// <param name="Runtime">Version of .NET.</param>
/// <param name="Date">The day, in UTC.</param>
/// <param name="Version">Pure's version, with the commit it was built from where that is known.</param>
/// <param name="Load">Runnable processes over the minute before; far above zero, something else had a part of the machine.</param>
internal sealed record Machine(string Cpu, int Cores, string System, string Runtime, string Date, string Version, double? Load)
{
    internal static Machine Describe() => new(
        CpuName(),
        Environment.ProcessorCount,
        $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}".ToLowerInvariant(),
        RuntimeInformation.FrameworkDescription,
        DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        typeof(Machine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
        LoadAverage());

    private static string CpuName()
    {
        const string cpuInfo = "/proc/cpuinfo";
        string[] lines = File.Exists(cpuInfo) ? File.ReadAllLines(cpuInfo) : [];
        return $"{Value("model name")} (family {Value("cpu family")}, model {Value("model")})";

        string Value(string key) =>
            lines.Select(line => line.Split(':', 2)).FirstOrDefault(pair => pair[0].Trim() == key)?[1].Trim() ?? "unknown";
    }

    private static double? LoadAverage()
    {
        const string loadAverage = "/proc/loadavg";
        return File.Exists(loadAverage) ? double.Parse(File.ReadAllText(loadAverage).Split(' ')[0], CultureInfo.InvariantCulture) : null;
    }
}
