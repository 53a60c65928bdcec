using System.Globalization;

namespace Pure.Engine.Memory;

/// <summary>Refuses what cannot fit before the system is asked for it: an overcommitted allocation would be killed later.</summary>
internal static class MemoryLimit
{
    /// <summary>Bytes this process may use: the machine's, or its control group's.</summary>
    internal static long Available => Read("/", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <param name="root">The root of the file system.</param>
    /// <param name="collector">
    /// What the garbage collector takes for the memory there is: the machine's, or in a control group a part of the group's.
    /// </param>
    internal static long Read(string root, long collector)
    {
        long otherwise = collector > 0 ? collector : long.MaxValue;
        return ControlGroup.Read(root).MemoryBytes is { } group ? Math.Min(group, Machine(root) ?? otherwise) : otherwise;
    }

    /// <summary>The machine's memory, as Linux tells it in kB.</summary>
    private static long? Machine(string root)
    {
        string file = Path.Combine(root, "proc/meminfo");
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith("MemTotal:", StringComparison.Ordinal)) : null;
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, { } kilobytes, "kB"]
            && long.TryParse(kilobytes, CultureInfo.InvariantCulture, out long number) ? number << 10 : null;
    }

    /// <exception cref="InvalidRequestException"><paramref name="bytes"/> is more than there is.</exception>
    internal static void Require(long bytes, string what, string advice)
    {
        long available = Available;
        if (bytes > available)
        {
            throw new InvalidRequestException(
                $"{Capitalize(what)} needs {bytes / 1e9:0.0} GB and this process may use {available / 1e9:0.0} GB; {advice}.");
        }
    }

    private static string Capitalize(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
