using System.Runtime.InteropServices;
using Pure.Engine.Memory;

namespace Pure.Engine.Tests.Kernels;

/// <summary>
/// Native memory whose last element ends at a page that must not be touched (on Linux), and before whose first element lie canaries:
/// a read or write past the end kills the process, a write before the start fails <see cref="Dispose"/>. Because the end is fixed, the
/// start takes every alignment as the length varies.
/// </summary>
internal sealed unsafe partial class GuardedMemory<T> : IDisposable
    where T : unmanaged
{
    private const int Page = 4096;
    private const int Canaries = 64;
    private readonly byte* _base;
    private readonly nuint _size;
    private readonly byte* _start;

    internal GuardedMemory(int length)
    {
        nuint bytes = (nuint)length * (nuint)sizeof(T);
        nuint whole = (bytes + Canaries + Page - 1) / Page * Page;
        _size = whole + Page;
        if (OperatingSystem.IsLinux())
        {
            _base = (byte*)Libc.Map(0, _size, 3, 0x22, -1, 0); // read and write; private, anonymous
            Assert.NotEqual(-1, (nint)_base);
            Assert.Equal(0, Libc.Protect((nint)_base + (nint)whole, Page, 0));
        }
        else
        {
            _base = (byte*)NativeMemory.AllocZeroed(_size);
        }

        _start = _base + whole - bytes;
        Length = length;
        new Span<byte>(_start - Canaries, Canaries).Fill(0xA5);
    }

    internal int Length { get; }

    internal T* Pointer => (T*)_start;

    internal Span<T> Span => new(_start, Length);

    internal NativeView View => new(_start, (long)Length * sizeof(T));

    public void Dispose()
    {
        bool whole = !new Span<byte>(_start - Canaries, Canaries).ContainsAnyExcept((byte)0xA5);
        if (OperatingSystem.IsLinux())
            _ = Libc.Unmap((nint)_base, _size);
        else
            NativeMemory.Free(_base);
        Assert.True(whole, "Something wrote before the start of a buffer.");
    }
}

internal static partial class Libc
{
    [LibraryImport("libc", EntryPoint = "mmap")]
    internal static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    internal static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    internal static partial int Unmap(nint address, nuint length);
}
