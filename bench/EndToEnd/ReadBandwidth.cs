using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Pure.Bench.EndToEnd;

/// <summary>How many bytes a second the machine can read from memory with so many threads: the roof over decoding.</summary>
internal static class ReadBandwidth
{
    private const long Bytes = 1L << 29; // far beyond any cache that this is likely to meet
    private const int Passes = 7;

    /// <summary>The median of some passes over a large buffer, in bytes per second.</summary>
    public static double Measure(int threads)
    {
        var slices = new ulong[threads][];
        for (int thread = 0; thread < threads; thread++)
        {
            slices[thread] = new ulong[Bytes / threads / sizeof(ulong)];
            Array.Fill(slices[thread], 1UL);
        }

        var speeds = new double[Passes];
        for (int pass = 0; pass < Passes; pass++)
            speeds[pass] = Pass(slices);
        Array.Sort(speeds);
        return speeds[Passes / 2];
    }

    private static double Pass(ulong[][] slices)
    {
        using var start = new Barrier(slices.Length + 1);
        using var end = new Barrier(slices.Length + 1);
        var sums = new ulong[slices.Length];
        for (int index = 0; index < slices.Length; index++)
        {
            int thread = index;
            new Thread(() =>
            {
                start.SignalAndWait();
                sums[thread] = Sum(slices[thread]);
                end.SignalAndWait();
            }).Start();
        }

        start.SignalAndWait();
        long begun = Stopwatch.GetTimestamp();
        end.SignalAndWait();
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        ulong elements = (ulong)slices.Sum(slice => (long)slice.Length);
        return sums.Aggregate(0UL, (total, sum) => total + sum) == elements
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
