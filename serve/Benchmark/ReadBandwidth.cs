using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Pure.Serve.Benchmark;

/// <summary>How many bytes a second the machine can read from memory with so many threads: the roof over decoding.</summary>
internal sealed class ReadBandwidth(int threads)
{
    private const long Bytes = 1L << 29; // far beyond any cache that this is likely to meet

    private readonly ulong[][] _slices = new ulong[threads][]; // made by the first pass, so that a peak of memory before is the model's


    /// <summary>
    /// Reads everything once; bytes per second from the first thread's start to the last one's end, as the threads themselves saw it:
    /// the one that waits for them may come to look at the clock much later.
    /// </summary>
    internal double Pass()
    {
        for (int index = 0; index < threads && _slices[index] is null; index++)
        {
            _slices[index] = new ulong[Bytes / threads / sizeof(ulong)];
            Array.Fill(_slices[index], 1UL);
        }

        using var ready = new Barrier(_slices.Length);
        var results = new (ulong Sum, long Begun, long Ended)[_slices.Length];
        Thread[] readers = [.. _slices.Select((slice, index) => new Thread(() =>
        {
            ready.SignalAndWait();
            long begun = Stopwatch.GetTimestamp();
            ulong sum = Sum(slice);
            results[index] = (sum, begun, Stopwatch.GetTimestamp());
        }))];
        foreach (Thread thread in readers)
            thread.Start();
        foreach (Thread thread in readers)
            thread.Join();

        double seconds = Stopwatch.GetElapsedTime(results.Min(result => result.Begun), results.Max(result => result.Ended)).TotalSeconds;
        ulong elements = (ulong)_slices.Sum(slice => (long)slice.Length);
        return results.Aggregate(0UL, (total, result) => total + result.Sum) == elements
            ? elements * sizeof(ulong) / seconds
            : throw new InvalidOperationException("The bandwidth loop did not read everything.");
    }

    /// <summary>Four independent sums, so that additions do not wait for each other.</summary>
    private static ulong Sum(ulong[] values)
    {
        ReadOnlySpan<Vector<ulong>> vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(values);
        Vector<ulong> a = default, b = default, c = default, d = default;
        int index = 0;
        for (; index <= vectors.Length - 4; index += 4)
        {
            a += vectors[index];
            b += vectors[index + 1];
            c += vectors[index + 2];
            d += vectors[index + 3];
        }

        for (; index < vectors.Length; index++)
            a += vectors[index];
        ulong sum = Vector.Sum(a + b + c + d);
        for (index = vectors.Length * Vector<ulong>.Count; index < values.Length; index++)
            sum += values[index];
        return sum;
    }
}
