using System.Runtime.InteropServices;

namespace Pure.Engine.Memory;

/// <summary>Memory that the system keeps where it is (mlock(2)), until disposed; it must be disposed before the memory is freed.</summary>
internal sealed unsafe partial class LockedMemory : IDisposable
{
    private readonly IReadOnlyList<NativeView> _places;
    private int _locked;

    private LockedMemory(IReadOnlyList<NativeView> places) => _places = places;

    /// <summary>Locks all of <paramref name="places"/>, or none.</summary>
    /// <returns>What was locked; null where the system refuses, and then in <paramref name="refusal"/> one sentence that says why.</returns>
    internal static LockedMemory? TryLock(IReadOnlyList<NativeView> places, out string refusal)
    {
        refusal = "";
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            refusal = "The weights are not locked in memory: Pure knows how on Linux and macOS only; the model runs without.";
            return null;
        }

        var memory = new LockedMemory(places);
        foreach (NativeView place in places)
        {
            if (place.Length > 0 && Lock(place.Pointer, (nuint)place.Length) != 0)
            {
                refusal = Describe(places.Sum(each => each.Length), Marshal.GetLastPInvokeError());
                memory.Dispose();
                return null;
            }

            memory._locked++;
        }

        return memory;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_locked > 0)
        {
            NativeView place = _places[--_locked];
            _ = Unlock(place.Pointer, (nuint)place.Length);
        }
    }

    private static string Describe(long bytes, int error)
    {
        const int LockedMemoryLinux = 8;
        const int LockedMemoryMac = 6;
        Limits limits = default;
        bool isLimited = GetLimits(OperatingSystem.IsLinux() ? LockedMemoryLinux : LockedMemoryMac, &limits) == 0 && limits.Soft < (ulong)bytes;
        string reason = isLimited
            ? $"they take {bytes / 1e6:N0} MB and this process may lock {limits.Soft / 1e6:N1} MB (ulimit -l); raise that limit"
            : $"the system refuses ({Marshal.GetPInvokeErrorMessage(error)})";
        return $"The weights are not locked in memory: {reason}; the model runs without.";
    }

    [LibraryImport("libc", EntryPoint = "mlock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Lock(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "munlock")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unlock(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetLimits(int resource, Limits* limits);

    /// <summary>struct rlimit of 64-bit systems.</summary>
    private struct Limits
    {
        internal ulong Soft;
        internal ulong Hard;
    }
}
