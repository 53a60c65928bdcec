using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pure.Engine.Memory;

/// <summary>
/// What Linux may be told about pages (madvise(2), posix_fadvise(2)). Advice changes when memory is used and how fast it is, never what is
/// in it; elsewhere, and where the system refuses, it is left unsaid.
/// </summary>
internal static unsafe partial class PageAdvice
{
    private const int MadviseWillNeed = 3;
    private const int MadviseDontNeed = 4;
    private const int FadviseDontNeed = 4;

    /// <summary>
    /// Takes the pages of a read-only file mapping out of this process's memory. They come again from the file: never to be said of memory
    /// that no file stands behind, whose content would be lost.
    /// </summary>
    internal static void Forget(byte* start, long length)
    {
        if (!OperatingSystem.IsLinux())
            return;
        nuint page = (nuint)Environment.SystemPageSize;
        nuint first = (nuint)start & ~(page - 1);
        _ = Advise((void*)first, (nuint)start + (nuint)length - first, MadviseDontNeed);
    }

    /// <summary>Lets the system begin to read the pages of a mapping from its file.</summary>
    internal static void WillNeed(byte* start, long length)
    {
        if (!OperatingSystem.IsLinux())
            return;
        nuint page = (nuint)Environment.SystemPageSize;
        nuint first = (nuint)start & ~(page - 1);
        _ = Advise((void*)first, (nuint)start + (nuint)length - first, MadviseWillNeed);
    }

    /// <summary>Lets the system drop its own copy of a part of a file, where no process has it mapped in memory.</summary>
    internal static void Forget(SafeFileHandle file, long offset, long length)
    {
        if (OperatingSystem.IsLinux() && nint.Size == 8)
            _ = AdviseFile(file, offset, length, FadviseDontNeed);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int AdviseFile(SafeFileHandle file, long offset, long length, int advice);
}
