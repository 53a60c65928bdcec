using System.Runtime.InteropServices;

namespace Pure.Engine.Kernels.Emit;

/// <summary>Pages that hold machine code: written first, then read and executed, never both.</summary>
internal static unsafe partial class ExecutableMemory
{
    private const int ProtectRead = 1;
    private const int ProtectWrite = 2;
    private const int ProtectExecute = 4;
    private const int MapPrivate = 0x02;
    private const int MapAnonymous = 0x20;

    /// <summary>Whether this platform's calls and calling convention are known here.</summary>
    internal static bool IsSupported =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>The code in executable pages that live as long as the process; null where the system refuses.</summary>
    internal static byte* Place(ReadOnlySpan<byte> code)
    {
        nuint length = (nuint)((code.Length + 4095) / 4096 * 4096);
        void* pages = Map(null, length, ProtectRead | ProtectWrite, MapPrivate | MapAnonymous, -1, 0);
        if ((nint)pages == -1)
            return null;
        code.CopyTo(new Span<byte>(pages, code.Length));
        if (Protect(pages, length, ProtectRead | ProtectExecute) == 0)
            return (byte*)pages;
        _ = Unmap(pages, length);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(void* address, nuint length);
}
