namespace Pure.Engine.Memory;

/// <summary>Refuses what cannot fit before the system is asked for it: an overcommitted allocation would be killed later.</summary>
internal static class MemoryLimit
{
    /// <summary>Bytes this process may use: the machine's, or its container's.</summary>
    internal static long Available => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes is > 0 and var bytes ? bytes : long.MaxValue;

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
