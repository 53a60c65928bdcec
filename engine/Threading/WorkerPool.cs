using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Pure.Engine.Threading;

/// <summary>A piece of work over numbered items that can be cut into ranges. All threads run the same copy: it must not change.</summary>
internal interface IRangeJob
{
    /// <summary>Does the items from <paramref name="begin"/> to <paramref name="end"/> - 1.</summary>
    void Run(int begin, int end);
}

/// <summary>
/// The threads a model computes with: the caller of <see cref="Run"/> and <see cref="Threads"/> - 1 background threads that wait for
/// work, first spinning, then parked. Ranges are handed out by one shared ticket, so a slow core takes fewer of them.
/// </summary>
/// <remarks>
/// The ticket is one word: the number of the region (the call of Run) above, the items not yet handed out below. A thread reads it,
/// then the region's fields, then takes its range by compare-and-swap: success proves that the region was the one whose fields it
/// read, because the number changes with every region and the fields only while nothing is left to hand out. A region is over when
/// the items done are all items; threads that come late find nothing left and touch nothing, so nobody waits for a sleeper.
/// <para>
/// On a machine of several memory nodes a page lies where the thread runs that first writes it: of rearranged weights, whichever took that
/// ticket when they were packed. As tickets are taken by whoever is free, nothing says that the same thread will read them, pinned or not:
/// weights are spread over the nodes rather than placed beside their readers. A fixed partition would place them, and give up that a slow core
/// holds nobody.
/// </para>
/// </remarks>
internal sealed class WorkerPool : IDisposable
{
    /// <summary>How long a thread spins before it parks: longer than the gap between two regions of a layer, short for a shared core.</summary>
    private const int SpinMicroseconds = 50;

    /// <summary>The pool whose job this thread is running.</summary>
    [ThreadStatic]
    private static WorkerPool? _inside;

    private readonly Lock _oneAtATime = new();
    private readonly Dictionary<Type, Region> _regions = [];
    private readonly Worker[] _workers;
    private readonly Parking _caller = new();
    private readonly long _spinTicks;
    private Region? _region;
    private int _count;
    private int _grain;
    private ExceptionDispatchInfo? _failure;
    private bool _stopping;
    private Counters _counters;

    /// <summary>Starts <paramref name="threads"/> - 1 threads.</summary>
    /// <param name="threads">Threads that work in a region.</param>
    /// <param name="pin">
    /// Whether each background thread stays on a core of its own among those that this process may use. The first core is left to the callers,
    /// which are free to move: their threads are not the pool's.
    /// </param>
    /// <param name="warn">Told why threads are not pinned, where they cannot be.</param>
    internal WorkerPool(int threads, bool pin = false, Action<string>? warn = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        int[] processors = pin ? ThreadPin.Processors() : [];
        if (pin && processors.Length < threads)
        {
            warn?.Invoke(processors.Length == 0
                ? "Threads are not pinned to cores: this system does not say how; the model runs without."
                : $"Threads are not pinned to cores: there are {threads} and this process may use {processors.Length}; ask for fewer threads.");
            processors = [];
        }

        // With more threads than processors, a spinning thread keeps a working one from running.
        _spinTicks = threads <= Environment.ProcessorCount ? Stopwatch.Frequency * SpinMicroseconds / 1_000_000 : 0;
        _workers = new Worker[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
            _workers[i] = new Worker(this, i + 1, processors.Length == 0 ? null : processors[i + 1], warn);
    }

    /// <summary>The physical cores this process may use, within its processor quota.</summary>
    internal static int DefaultThreads { get; } = PhysicalCores.Count();

    /// <summary>Threads that work in a region, the caller's included.</summary>
    internal int Threads { get; }

    /// <summary>Regions of several ranges so far: each ends in a barrier. A single range is the caller's own, and nobody waits.</summary>
    internal long Barriers { get; private set; }

    /// <summary>
    /// Whether a range of the region that runs has thrown: then others are dropped, and who waits for what they would do waits in vain.
    /// </summary>
    internal bool HasFailed => Volatile.Read(ref _failure) is not null;

    /// <summary>
    /// Runs <paramref name="job"/> over the items 0 to <paramref name="count"/> - 1 and returns when all are done. Calls from several
    /// threads follow one another. If a range throws, ranges not yet begun are dropped and the first exception is thrown here, after
    /// all threads have stopped. Ranges are handed out in order, so a range may wait for what earlier ones do, as long as it looks at
    /// <see cref="HasFailed"/> meanwhile.
    /// </summary>
    /// <param name="job">What to do; copied, so that a struct of references costs no allocation.</param>
    /// <param name="count">Number of items.</param>
    /// <param name="grain">Items handed out at a time: no range is longer, whatever the number of threads.</param>
    /// <exception cref="InvalidOperationException">Called from inside one of this pool's jobs.</exception>
    internal void Run<TJob>(in TJob job, int count, int grain)
        where TJob : struct, IRangeJob
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(grain, 1);
        ThrowIfInside();
        lock (_oneAtATime)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            if (count == 0)
                return;

            WorkerPool? outer = _inside;
            _inside = this;
            Region<TJob> region = RegionOf<TJob>();
            region.Job = job;
            try
            {
                Publish(region, count, grain);
                while (TryTake(out Region taken, out int begin, out int end))
                    Do(taken, begin, end);
                WaitForAll();
            }
            finally
            {
                region.Job = default;
                _inside = outer;
            }

            ExceptionDispatchInfo? failure = _failure;
            _failure = null;
            failure?.Throw();
        }
    }

    /// <summary>Stops and joins the threads.</summary>
    public void Dispose()
    {
        ThrowIfInside();
        lock (_oneAtATime)
        {
            if (_stopping)
                return;
            Volatile.Write(ref _stopping, true);
            Interlocked.MemoryBarrier();
            foreach (Worker worker in _workers)
                worker.Parking.Wake();
        }

        foreach (Worker worker in _workers)
            worker.Join();
    }

    private void ThrowIfInside()
    {
        if (_inside == this)
            throw new InvalidOperationException("A job of a worker pool used the pool that runs it; it would wait for itself.");
    }

    private Region<TJob> RegionOf<TJob>()
        where TJob : struct, IRangeJob
    {
        if (_regions.TryGetValue(typeof(TJob), out Region? region))
            return (Region<TJob>)region;
        var created = new Region<TJob>();
        _regions.Add(typeof(TJob), created);
        return created;
    }

    private void Publish(Region region, int count, int grain)
    {
        _region = region;
        _count = count;
        _grain = grain;
        _counters.Undone = count;
        long number = (_counters.Ticket >> 32) + 1;
        Interlocked.Exchange(ref _counters.Ticket, (number << 32) | (uint)count);

        long ranges = ((long)count + grain - 1) / grain;
        if (ranges > 1)
            Barriers++;
        for (int i = 0; i < _workers.Length && i < ranges - 1; i++)
            _workers[i].Parking.Wake();
    }

    private bool TryTake(out Region region, out int begin, out int end)
    {
        while (true)
        {
            long ticket = Volatile.Read(ref _counters.Ticket);
            int left = (int)ticket;
            if (left == 0)
            {
                region = null!;
                begin = end = 0;
                return false;
            }

            region = _region!;
            int count = _count;
            int size = Math.Min(_grain, left);
            begin = count - left;
            end = begin + size;
            if (Interlocked.CompareExchange(ref _counters.Ticket, ticket - size, ticket) == ticket)
                return true;
        }
    }

    private void Do(Region region, int begin, int end)
    {
        if (!HasFailed)
        {
            try
            {
                region.Run(begin, end);
            }
#pragma warning disable CA1031 // Whatever it is, it is thrown again in the caller.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
            }
        }

        if (Interlocked.Add(ref _counters.Undone, begin - end) == 0)
            _caller.Wake();
    }

    private void WaitForAll()
    {
        if (!SpinUntil(static pool => Volatile.Read(ref pool._counters.Undone) == 0))
            _caller.Park(static pool => Volatile.Read(ref pool._counters.Undone) == 0, this);
    }

    private void Work(Parking parking)
    {
        _inside = this;
        while (true)
        {
            while (TryTake(out Region region, out int begin, out int end))
                Do(region, begin, end);
            if (!SpinUntil(static pool => pool.HasWork))
                parking.Park(static pool => pool.HasWork, this);
            if (Volatile.Read(ref _stopping))
                return;
        }
    }

    private bool HasWork => (int)Volatile.Read(ref _counters.Ticket) != 0 || Volatile.Read(ref _stopping);

    private bool SpinUntil(Func<WorkerPool, bool> condition)
    {
        if (condition(this))
            return true;
        long end = Stopwatch.GetTimestamp() + _spinTicks;
        while (Stopwatch.GetTimestamp() < end)
        {
            for (int i = 0; i < 8; i++)
            {
                if (condition(this))
                    return true;
                Thread.SpinWait(4);
            }
        }

        return false;
    }

    private abstract class Region
    {
        internal abstract void Run(int begin, int end);
    }

    /// <summary>Holds the job of a region where every thread can reach it; one per job type, used again and again.</summary>
    private sealed class Region<TJob> : Region
        where TJob : struct, IRangeJob
    {
        internal TJob Job;

        internal override void Run(int begin, int end) => Job.Run(begin, end);
    }

    /// <summary>Where one thread sleeps until another has made a condition true and then called <see cref="Wake"/>.</summary>
    private sealed class Parking
    {
        private readonly object _gate = new();
        private bool _parked;

        /// <summary>
        /// Sleeps until the condition holds. Sleeper: says that it sleeps, fence, looks at the condition. Waker: makes the condition true,
        /// fence (an interlocked operation), looks for a sleeper. So one of the two sees the other.
        /// </summary>
        internal void Park(Func<WorkerPool, bool> condition, WorkerPool pool)
        {
            lock (_gate)
            {
                Volatile.Write(ref _parked, true);
                Interlocked.MemoryBarrier();
                while (!condition(pool))
                    Monitor.Wait(_gate);
                Volatile.Write(ref _parked, false);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal void Wake()
        {
            if (Volatile.Read(ref _parked))
                Pulse();
        }

        private void Pulse()
        {
            lock (_gate)
                Monitor.Pulse(_gate);
        }
    }

    private sealed class Worker
    {
        private readonly Thread _thread;

        internal Worker(WorkerPool pool, int number, int? processor, Action<string>? warn)
        {
            _thread = new Thread(() =>
            {
                if (processor is { } own && !ThreadPin.TryPin(own))
                    warn?.Invoke($"Thread {number} is not pinned to processor {own}: the system refuses; the model runs without.");
                pool.Work(Parking);
            })
            { IsBackground = true, Name = $"pure worker {number}" };
            _thread.Start();
        }

        internal Parking Parking { get; } = new();

        internal void Join() => _thread.Join();
    }

    /// <summary>The two words that all threads write, each on cache lines of its own (prefetchers fetch pairs of 64 bytes).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Counters
    {
        [FieldOffset(128)]
        internal long Ticket;

        [FieldOffset(256)]
        internal int Undone;
    }
}
