using Pure.Engine.Memory;

namespace Pure.Engine.Kernels;

/// <summary>Floats that a thread's kernel uses while it runs: native memory per thread, grown on demand, so that a steady state allocates nothing.</summary>
internal static unsafe class Scratch
{
    [ThreadStatic]
    private static AlignedBuffer<float>? _floats;

    /// <summary>At least <paramref name="count"/> floats, aligned to a cache line, until the thread's next call.</summary>
    internal static float* Floats(long count)
    {
        AlignedBuffer<float>? floats = _floats;
        if (floats is null || floats.Length < count)
        {
            floats?.Dispose();
            _floats = null;
            _floats = floats = new AlignedBuffer<float>(Math.Max(4096, count + (count / 2)));
        }

        return floats.Pointer;
    }
}
