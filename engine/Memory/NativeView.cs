namespace Pure.Engine.Memory;

/// <summary>
/// A read-only window on bytes outside the managed heap: a mapped file or an <see cref="AlignedBuffer{T}"/>. It may be longer than a
/// span can be (experts of one layer pass 2 GB). It does not keep its memory alive; the owner does.
/// </summary>
public readonly unsafe struct NativeView
{
    internal NativeView(byte* pointer, long length)
    {
        Pointer = pointer;
        Length = length;
    }

    internal byte* Pointer { get; }

    /// <summary>Length in bytes.</summary>
    public long Length { get; }

    /// <summary>The part of <paramref name="length"/> bytes that begins at byte <paramref name="offset"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie within this view.</exception>
    public NativeView Slice(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        return new NativeView(Pointer + offset, length);
    }

    /// <summary>A span over <paramref name="length"/> bytes from byte <paramref name="offset"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie within this view.</exception>
    public ReadOnlySpan<byte> AsSpan(long offset, int length) => new(Slice(offset, length).Pointer, length);
}
