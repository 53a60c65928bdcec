using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pure.Engine.Memory;

/// <summary>Zeroed memory outside the managed heap, aligned to a cache line, that lives until disposed or collected.</summary>
public sealed unsafe class AlignedBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int CacheLine = 64;

    private readonly nuint _bytes;
    private readonly bool _isLarge;
    private void* _allocation;

    /// <summary>Allocates <paramref name="length"/> zeroed elements. Large buffers cost memory only where they are touched.</summary>
    /// <exception cref="InvalidRequestException">The machine has not that much memory.</exception>
    public AlignedBuffer(long length)
        : this(length, largePages: true)
    {
    }

    /// <param name="length">Elements.</param>
    /// <param name="largePages">Whether the system is asked for large pages where the buffer is worth it.</param>
    /// <exception cref="InvalidRequestException">The machine has not that much memory.</exception>
    internal AlignedBuffer(long length, bool largePages)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        nuint bytes = checked((nuint)length * (nuint)sizeof(T));
        _bytes = checked(bytes + CacheLine);
        _isLarge = largePages && LargePages.Suit(_bytes);
        try
        {
            _allocation = _isLarge ? LargePages.Allocate(_bytes) : NativeMemory.AllocZeroed(_bytes);
        }
        catch (OutOfMemoryException)
        {
            _allocation = null;
        }

        if (_allocation == null)
        {
            GC.SuppressFinalize(this);
            throw new InvalidRequestException(
                $"{bytes:N0} bytes are needed and the machine does not have them; use a smaller model, context or batch.");
        }

        Pointer = (T*)(((nuint)_allocation + CacheLine - 1) & ~(nuint)(CacheLine - 1));
        NativeBytes.Add(Length * sizeof(T));
    }

    /// <summary>Frees memory that was never disposed.</summary>
    ~AlignedBuffer() => Free();

    internal T* Pointer { get; private set; }

    /// <summary>Whether the system was asked for large pages.</summary>
    internal bool IsLarge => _isLarge;

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>All elements; for buffers of up to 2^31 - 1 of them.</summary>
    /// <exception cref="ObjectDisposedException">The buffer was disposed.</exception>
    public Span<T> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            ObjectDisposedException.ThrowIf(Pointer == null, this);
            return new Span<T>(Pointer, checked((int)Length));
        }
    }

    /// <summary>The elements as bytes.</summary>
    public NativeView View => new((byte*)Pointer, Length * sizeof(T));

    /// <summary>A writable span over <paramref name="length"/> elements from <paramref name="offset"/>.</summary>
    internal Span<T> Writable(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new Span<T>(Pointer + offset, length);
    }

    /// <summary>A stream that fills the buffer from its start.</summary>
    internal Stream OpenWrite()
    {
        long bytes = Length * sizeof(T);
        return new UnmanagedMemoryStream((byte*)Pointer, bytes, bytes, FileAccess.Write);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (Pointer == null)
            return;
        if (_isLarge)
            LargePages.Free(_allocation, _bytes);
        else
            NativeMemory.Free(_allocation);
        NativeBytes.Add(-Length * sizeof(T));
        _allocation = null;
        Pointer = null;
    }
}
