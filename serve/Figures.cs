using System.Diagnostics;
using System.Globalization;
using Pure.Engine.Generation;

namespace Pure.Serve;

/// <summary>Numbers as people read them, the same on every machine.</summary>
internal static class Figures
{
    /// <summary>Bytes that .NET, the program and its compiled kernels take besides a model, as measured on Linux; it varies by a few megabytes.</summary>
    internal const long RuntimeBytes = 53_000_000;

    /// <summary>The most memory that this process had resident so far, in bytes.</summary>
    internal static long PeakMemory
    {
        get
        {
            using var process = Process.GetCurrentProcess();
            return process.PeakWorkingSet64;
        }
    }

    /// <summary>1234567 as 1,234,567.</summary>
    internal static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A number with so many decimals.</summary>
    internal static string Decimal(double value, int decimals) => value.ToString("F" + decimals, CultureInfo.InvariantCulture);

    /// <summary>A number of tokens and their speed, where there is one to tell: a single token has none.</summary>
    internal static string Speed(int tokens, double tokensPerSecond) =>
        $"{Count(tokens)} token{(tokens == 1 ? "" : "s")}{(tokensPerSecond > 0 ? $", {Decimal(tokensPerSecond, 1)} tokens/s" : "")}";

    /// <summary>What came of guessing ahead.</summary>
    internal static string Drafts(DraftCounts drafts) => drafts.Drafted == 0
        ? "nothing"
        : $"{Count(drafts.Drafted)} tokens in {Count(drafts.Passes)} passes, {Decimal(100 * drafts.AcceptanceRate, 1)} % accepted";

    /// <summary>Bytes in the unit that leaves one to three digits before the point (decimal units: a MB is 10^6 bytes).</summary>
    internal static string Bytes(long bytes) => bytes switch
    {
        < 1_000 => $"{bytes} B",
        < 1_000_000 => Decimal(bytes / 1e3, 1) + " kB",
        < 1_000_000_000 => Decimal(bytes / 1e6, 2) + " MB",
        _ => Decimal(bytes / 1e9, 2) + " GB",
    };
}
