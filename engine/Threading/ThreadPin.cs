using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Pure.Engine.Threading;

/// <summary>Keeps threads on one processor each, where the system lets them (Linux, Windows).</summary>
internal static partial class ThreadPin
{
    private const int WordBits = 64;

    /// <summary>The first processor of each core that this process may use; empty where that, or how to pin, is not known.</summary>
    internal static int[] Processors()
    {
        if (OperatingSystem.IsLinux())
            return PhysicalCores.Processors("/");
        if (!OperatingSystem.IsWindows())
            return [];
        using var process = Process.GetCurrentProcess();
        ulong mask = (ulong)process.ProcessorAffinity;
        return [.. Enumerable.Range(0, WordBits - BitOperations.LeadingZeroCount(mask)).Where(processor => (mask >> processor & 1) != 0)];
    }

    /// <summary>Keeps the calling thread on a processor.</summary>
    /// <returns>Whether the system did so.</returns>
    internal static bool TryPin(int processor)
    {
        if (OperatingSystem.IsWindows())
            return processor < nint.Size * 8 && SetThreadMask(CurrentThread(), (nuint)1 << processor) != 0;
        var mask = new ulong[(processor / WordBits) + 1];
        mask[^1] = 1UL << (processor % WordBits);
        return SetAffinity(0, (nuint)(mask.Length * sizeof(ulong)), mask) == 0;
    }

    /// <param name="thread">0 for the calling one.</param>
    /// <param name="bytes">Of the mask.</param>
    /// <param name="mask">A bit for each processor.</param>
    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetAffinity(int thread, nuint bytes, ulong[] mask);

    [LibraryImport("kernel32", EntryPoint = "GetCurrentThread")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint CurrentThread();

    [LibraryImport("kernel32", EntryPoint = "SetThreadAffinityMask")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nuint SetThreadMask(nint thread, nuint mask);
}
