using System.Runtime.InteropServices;

namespace Pure.Engine.Memory;

/// <summary>
/// Zeroed memory that begins at a large page and asks Linux to use such pages (madvise(2), MADV_HUGEPAGE): with one translation for 2 MiB
/// instead of 4 KiB, reading all weights in turn waits less for page tables.
/// </summary>
internal static unsafe partial class LargePages
{
    private const nuint PageBytes = 1 << 21;
    private const nuint LeastBytes = 2 * PageBytes;
    private const int ProtectReadWrite = 3;
    private const int MapPrivateAnonymous = 0x22;
    private const int AdviseHugePage = 14;

    /// <summary>Whether a buffer of so many bytes is worth it, and this platform's calls are known here.</summary>
    internal static bool Suit(nuint bytes) => bytes >= LeastBytes && OperatingSystem.IsLinux() && nint.Size == 8;

    /// <summary>The memory; null where the system has not that much.</summary>
    internal static void* Allocate(nuint bytes)
    {
        nuint mapped = Mapped(bytes);
        void* start = Map(null, checked(mapped + PageBytes), ProtectReadWrite, MapPrivateAnonymous, -1, 0);
        if ((nint)start == -1)
            return null;

        // What lies before the first whole page, and after the last, goes back.
        nuint first = ((nuint)start + PageBytes - 1) & ~(PageBytes - 1);
        nuint before = first - (nuint)start;
        if (before > 0)
            _ = Unmap(start, before);
        if (before < PageBytes)
            _ = Unmap((void*)(first + mapped), PageBytes - before);
        _ = Advise((void*)first, mapped, AdviseHugePage);
        return (void*)first;
    }

    /// <summary>Frees what <see cref="Allocate"/> gave for as many bytes.</summary>
    internal static void Free(void* memory, nuint bytes) => _ = Unmap(memory, Mapped(bytes));

    private static nuint Mapped(nuint bytes)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        return checked(bytes + page - 1) & ~(page - 1);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* address, nuint length, int advice);
}
