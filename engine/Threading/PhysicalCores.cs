using System.Globalization;

namespace Pure.Engine.Threading;

/// <summary>How many threads compute without sharing a core.</summary>
internal static class PhysicalCores
{
    /// <summary>
    /// The physical cores among the processors this process may use, at most its processor quota (the framework's processor count
    /// knows affinity and cgroup quota, not hyper-threads). Where the system does not tell which processors share a core, the
    /// processor count.
    /// </summary>
    internal static int Count() =>
        Count("/proc/self/status", "/sys/devices/system/cpu", Environment.ProcessorCount);

    /// <param name="status">Linux's /proc/self/status, which lists the allowed processors.</param>
    /// <param name="topology">Linux's /sys/devices/system/cpu: cpuN/topology/thread_siblings_list names the processors of N's core.</param>
    /// <param name="processors">The answer where these files are missing, and the most it can be.</param>
    internal static int Count(string status, string topology, int processors)
    {
        try
        {
            if (!File.Exists(status))
                return processors;
            string? allowed = File.ReadLines(status)
                .FirstOrDefault(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal));
            if (allowed is null)
                return processors;

            var cores = new HashSet<string>();
            foreach (int processor in ParseList(allowed[(allowed.IndexOf(':', StringComparison.Ordinal) + 1)..]))
                cores.Add(File.ReadAllText($"{topology}/cpu{processor}/topology/thread_siblings_list").Trim());
            return Math.Clamp(cores.Count, 1, processors);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return processors;
        }
    }

    /// <summary>Numbers of a Linux list such as <c>0-3,8</c>.</summary>
    private static IEnumerable<int> ParseList(string list)
    {
        foreach (string part in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = part.Split('-');
            int first = int.Parse(ends[0], CultureInfo.InvariantCulture);
            int last = int.Parse(ends[^1], CultureInfo.InvariantCulture);
            for (int processor = first; processor <= last; processor++)
                yield return processor;
        }
    }
}
