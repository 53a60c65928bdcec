using System.Globalization;
using Pure.Engine.Memory;

namespace Pure.Engine.Threading;

/// <summary>How many threads compute without sharing a core.</summary>
internal static class PhysicalCores
{
    /// <summary>
    /// The physical cores among the processors this process may use, at most its processor quota, rounded up. Where the system does not tell
    /// which processors share a core, the processors.
    /// </summary>
    internal static int Count() => Count("/", Environment.ProcessorCount);

    /// <param name="root">The root of the file system.</param>
    /// <param name="processors">
    /// The answer where Linux's files are missing, and the most it can be: the framework's count knows affinity and quota, not hyper-threads.
    /// </param>
    internal static int Count(string root, int processors)
    {
        int cores = Processors(root).Length;
        double quota = Math.Ceiling(ControlGroup.Read(root).Processors ?? processors);
        return (int)Math.Clamp(Math.Min(cores == 0 ? processors : cores, quota), 1, processors);
    }

    /// <summary>Of each core that this process may use one processor, the first; empty where the system does not tell.</summary>
    /// <param name="root">
    /// The root of the file system: proc/self/status lists the allowed processors, sys/devices/system/cpu/cpuN/topology/thread_siblings_list
    /// those of N's core.
    /// </param>
    internal static int[] Processors(string root)
    {
        try
        {
            string status = Path.Combine(root, "proc/self/status");
            string? allowed = File.Exists(status)
                ? File.ReadLines(status).FirstOrDefault(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal))
                : null;
            if (allowed is null)
                return [];

            var cores = new HashSet<string>();
            string topology = Path.Combine(root, "sys/devices/system/cpu");
            return
            [
                .. ParseList(allowed[(allowed.IndexOf(':', StringComparison.Ordinal) + 1)..])
                    .Where(processor => cores.Add(File.ReadAllText($"{topology}/cpu{processor}/topology/thread_siblings_list").Trim())),
            ];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return [];
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
