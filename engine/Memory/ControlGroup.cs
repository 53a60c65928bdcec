using System.Globalization;

namespace Pure.Engine.Memory;

/// <summary>
/// What Linux's control groups leave to this process: version 2 (cpu.max and memory.max of one hierarchy) or version 1 (cpu.cfs_quota_us in
/// cpu.cfs_period_us, and memory.limit_in_bytes, of a hierarchy each). A group's limit holds for all groups below it: the least counts.
/// </summary>
/// <param name="Processors">Processors' worth of time; null for no limit.</param>
/// <param name="MemoryBytes">Bytes of memory, with the pages of files that are counted for the group; null for no limit.</param>
/// <remarks>https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html, scheduler/sched-bwc.html</remarks>
internal readonly record struct ControlGroup(double? Processors, long? MemoryBytes)
{
    // Version 1 says "none" by the greatest number of whole pages.
    private const long NoLimit = 1L << 60;

    /// <param name="root">The root of the file system.</param>
    internal static ControlGroup Read(string root = "/")
    {
        double? processors = null;
        long? bytes = null;
        try
        {
            string groups = Path.Combine(root, "proc/self/cgroup");
            if (!File.Exists(groups))
                return default;
            foreach (string line in File.ReadLines(groups))
            {
                // number:controllers:path, with no controllers in version 2.
                if (line.Split(':', 3) is not [_, { } controllers, { } path])
                    continue;
                foreach (string folder in Ancestors(Path.Combine(root, "sys/fs/cgroup"), controllers, path))
                {
                    processors = Least(processors, Quota(folder));
                    bytes = Least(bytes, Number(folder, "memory.max") ?? Number(folder, "memory.limit_in_bytes"));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What cannot be read sets no limit that is known here; the framework's own reading still does.
        }

        return new ControlGroup(processors, bytes < NoLimit ? bytes : null);
    }

    /// <summary>
    /// The folders of a group and of those above it, as far as they are mounted: in a container the path may be that of its host, and the
    /// mounted root its own group.
    /// </summary>
    private static IEnumerable<string> Ancestors(string mounted, string controllers, string path)
    {
        string[] roots = controllers.Length > 0
            ? [Path.Combine(mounted, controllers), .. controllers.Split(',').Select(controller => Path.Combine(mounted, controller))]
            : [mounted, Path.Combine(mounted, "unified")];
        foreach (string root in roots.Distinct().Where(Directory.Exists))
        {
            string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
            for (int depth = names.Length; depth >= 0; depth--)
            {
                string folder = Path.Combine([root, .. names[..depth]]);
                if (Directory.Exists(folder))
                    yield return folder;
            }
        }
    }

    private static double? Quota(string folder)
    {
        if (Words(folder, "cpu.max") is [{ } quota, { } period])
            return Quotient(quota, period);
        return Words(folder, "cpu.cfs_quota_us") is [{ } time] && Words(folder, "cpu.cfs_period_us") is [{ } of] ? Quotient(time, of) : null;
    }

    /// <summary>Null for "max", and for -1.</summary>
    private static double? Quotient(string quota, string period) =>
        long.TryParse(quota, CultureInfo.InvariantCulture, out long time) && long.TryParse(period, CultureInfo.InvariantCulture, out long of) && time > 0 && of > 0
            ? (double)time / of
            : null;

    private static long? Number(string folder, string file) =>
        Words(folder, file) is [{ } word] && long.TryParse(word, CultureInfo.InvariantCulture, out long number) && number > 0 ? number : null;

    private static string[] Words(string folder, string file)
    {
        string path = Path.Combine(folder, file);
        return File.Exists(path) ? File.ReadAllText(path).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries) : [];
    }

    private static T? Least<T>(T? one, T? other)
        where T : struct, IComparable<T> =>
        one is null || (other is { } value && value.CompareTo(one.Value) < 0) ? other ?? one : one;
}
