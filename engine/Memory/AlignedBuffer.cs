using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pure.Engine.Memory;

/// <summary>Zeroed memory outside the managed heap, aligned to a cache line, that lives until disposed or collected.</summary>
public sealed unsafe class AlignedBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int CacheLine = 64;

    /// <summary>Allocates <paramref name="length"/> zeroed elements.</summary>
    /// <exception cref="InvalidRequestException">The machine has not that much memory.</exception>
    public AlignedBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        nuint bytes = checked((nuint)length * (nuint)sizeof(T));
        try
        {
            Pointer = (T*)NativeMemory.AlignedAlloc(Math.Max(bytes, 1), CacheLine);
        }
        catch (OutOfMemoryException exception)
        {
            GC.SuppressFinalize(this);
            throw new InvalidRequestException(
                $"{bytes:N0} bytes are needed and the machine does not have them; use a smaller model, context or batch.", exception);
        }

        NativeMemory.Clear(Pointer, bytes);
        GC.AddMemoryPressure(Math.Max((long)bytes, 1));
    }

    /// <summary>Frees memory that was never disposed.</summary>
    ~AlignedBuffer() => Free();

    internal T* Pointer { get; private set; }

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
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
        GC.RemoveMemoryPressure(Math.Max(Length * sizeof(T), 1));
    }
}
