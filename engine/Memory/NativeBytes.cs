namespace Pure.Engine.Memory;

/// <summary>Bytes in all <see cref="AlignedBuffer{T}"/>s of this process.</summary>
internal static class NativeBytes
{
    private static long _held;

    internal static long Held => Volatile.Read(ref _held);

    internal static void Add(long bytes) => Interlocked.Add(ref _held, bytes);
}
