namespace Pure.Engine.Memory;

/// <summary>Bytes in all <see cref="AlignedBuffer{T}"/>s of this process.</summary>
internal static class NativeBytes
{
    private static long _held;

    [ThreadStatic]
    private static long _takenByThisThread;

    internal static long Held => Volatile.Read(ref _held);

    /// <summary>All that this thread ever took, what was freed since included: for what is taken in between two looks at it.</summary>
    internal static long TakenByThisThread => _takenByThisThread;

    internal static void Add(long bytes)
    {
        Interlocked.Add(ref _held, bytes);
        _takenByThisThread += Math.Max(0, bytes);
    }
}
