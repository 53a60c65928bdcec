using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using Pure.Engine.Memory;

namespace Pure.Serve.Benchmark;

/// <summary>
/// How many bytes a second the machine can read from memory with so many threads: the roof over decoding. The memory is allocated as
/// weights are, and threads take pieces of it by a shared ticket, so that a thread that is late or slow holds nobody back.
/// </summary>
internal sealed class ReadBandwidth(int threads) : IDisposable
{
    private const long Bytes = 1L << 29; // far beyond any cache that this is likely to meet
    private const int PieceElements = (1 << 20) / sizeof(ulong);
    private const int Pieces = (int)(Bytes / sizeof(ulong) / PieceElements);

    private AlignedBuffer<ulong>? _memory; // made by the first pass, so that a peak of memory before is the model's

    /// <summary>The best of <paramref name="passes"/>: what comes between the passes of a loop that only reads is not the memory's doing.</summary>
    internal double Best(int passes)
    {
        double best = 0;
        for (int pass = 0; pass < passes; pass++)
            best = Math.Max(best, Pass());
        return best;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory?.Dispose();

    /// <summary>
    /// Reads everything once; bytes per second from the first thread's start to the last one's end, as the threads themselves saw it:
    /// the one that waits for them may come to look at the clock much later.
    /// </summary>
    private double Pass()
    {
        if (_memory is null)
        {
            _memory = new(Bytes / sizeof(ulong));
            _memory.Span.Fill(1);
        }

        using var ready = new Barrier(threads);
        var results = new (ulong Sum, long Begun, long Ended)[threads];
        int taken = 0;
        Thread[] readers = [.. Enumerable.Range(0, threads).Select(index => new Thread(() =>
        {
            ready.SignalAndWait();
            long begun = Stopwatch.GetTimestamp();
            ulong sum = 0;
            for (int piece = Interlocked.Increment(ref taken) - 1; piece < Pieces; piece = Interlocked.Increment(ref taken) - 1)
                sum += Sum(_memory.Span.Slice(piece * PieceElements, PieceElements));
            results[index] = (sum, begun, Stopwatch.GetTimestamp());
        }))];
        foreach (Thread thread in readers)
            thread.Start();
        foreach (Thread thread in readers)
            thread.Join();

        double seconds = Stopwatch.GetElapsedTime(results.Min(result => result.Begun), results.Max(result => result.Ended)).TotalSeconds;
        return results.Aggregate(0UL, (total, result) => total + result.Sum) == (ulong)_memory.Length
            ? Bytes / seconds
            : throw new InvalidOperationException("The bandwidth loop did not read everything.");
    }

    /// <summary>Four independent sums, so that additions do not wait for each other.</summary>
    private static ulong Sum(ReadOnlySpan<ulong> values)
    {
        ReadOnlySpan<Vector<ulong>> vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(values);
        Vector<ulong> a = default, b = default, c = default, d = default;
        for (int index = 0; index <= vectors.Length - 4; index += 4)
        {
            a += vectors[index];
            b += vectors[index + 1];
            c += vectors[index + 2];
            d += vectors[index + 3];
        }

        return Vector.Sum(a + b + c + d);
    }
}
