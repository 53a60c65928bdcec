using Pure.Engine.Threading;

namespace Pure.Engine.Tests.Threading;

public sealed class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(16)]
    public void Every_item_is_done_exactly_once_in_ranges_no_longer_than_the_grain(int threads)
    {
        using var pool = new WorkerPool(threads);
        var done = new int[1000];
        foreach (int count in (int[])[0, 1, 2, 3, 7, 64, 255, 1000])
        {
            foreach (int grain in (int[])[1, 2, 3, 16, 999, 1000, 5000, int.MaxValue])
            {
                Array.Clear(done);
                pool.Run(new Mark(done, grain), count, grain);
                for (int i = 0; i < done.Length; i++)
                    Assert.Equal(i < count ? 1 : 0, done[i]);
            }
        }
    }

    [Fact]
    public void Regions_in_quick_succession_never_mix()
    {
        using var pool = new WorkerPool(4);
        var done = new int[64];
        for (int round = 1; round <= 20_000; round++)
        {
            if (round % 2 == 0)
                pool.Run(new Mark(done, 1), done.Length, 1);
            else
                pool.Run(new MarkOther(done), done.Length, 3);
            Assert.All(done, count => Assert.Equal(round, count));
        }
    }

    [Fact]
    public void Callers_on_several_threads_follow_one_another()
    {
        using var pool = new WorkerPool(3);
        var done = new int[4][];
        var threads = new Thread[4];
        for (int t = 0; t < threads.Length; t++)
        {
            int[] mine = done[t] = new int[100];
            threads[t] = new Thread(() =>
            {
                for (int round = 0; round < 500; round++)
                    pool.Run(new Mark(mine, 7), mine.Length, 7);
            });
            threads[t].Start();
        }

        foreach (Thread thread in threads)
            thread.Join();
        Assert.All(done, mine => Assert.All(mine, count => Assert.Equal(500, count)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void An_exception_surfaces_in_the_caller_and_the_pool_lives_on(int threads)
    {
        using var pool = new WorkerPool(threads);
        for (int round = 0; round < 100; round++)
        {
            int bad = round;
            var thrown = Assert.Throws<FormatException>(() => pool.Run(new Fail(bad), 100, 1));
            Assert.Equal($"item {bad}", thrown.Message);
        }

        var done = new int[100];
        pool.Run(new Mark(done, 4), done.Length, 4);
        Assert.All(done, count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void A_region_allocates_nothing(int threads)
    {
        using var pool = new WorkerPool(threads);
        var done = new int[256];
        for (int i = 0; i < 200; i++)
            pool.Run(new Mark(done, 4), done.Length, 4);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            pool.Run(new Mark(done, 4), done.Length, 4);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_job_that_uses_its_own_pool_is_an_error_and_no_hang(int threads)
    {
        using var pool = new WorkerPool(threads);
        Assert.Throws<InvalidOperationException>(() => pool.Run(new Nest(pool), 10, 1));
    }

    [Fact]
    public void A_job_may_use_another_pool()
    {
        using var outer = new WorkerPool(2);
        using var inner = new WorkerPool(2);
        outer.Run(new Nest(inner), 10, 1);
        Assert.Throws<InvalidOperationException>(() => outer.Run(new Nest(outer), 10, 1));
    }

    [Fact]
    public void Work_after_a_pause_wakes_parked_threads()
    {
        using var pool = new WorkerPool(2);
        for (int round = 0; round < 5; round++)
        {
            Thread.Sleep(20); // far beyond the spin
            using var both = new Barrier(2);
            pool.Run(new Meet(both), 2, 1); // ends only if two threads take part
        }
    }

    [Fact]
    public void A_disposed_pool_refuses_work_and_may_be_disposed_again()
    {
        var pool = new WorkerPool(3);
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Run(new Fail(0), 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(0));
    }

    [Fact]
    public void Default_threads_count_the_cores_among_the_allowed_processors()
    {
        Assert.InRange(WorkerPool.DefaultThreads, 1, Environment.ProcessorCount);

        // Four cores of two hyper-threads (0,4), (1,5), …; the process may use 0, 1, 2, 4 and 5: three cores.
        string root = Directory.CreateTempSubdirectory().FullName;
        try
        {
            Assert.Equal(8, PhysicalCores.Count(root, 8));
            Directory.CreateDirectory($"{root}/proc/self");
            File.WriteAllText($"{root}/proc/self/status", "Name:\ttest\nCpus_allowed:\tff\nCpus_allowed_list:\t0-2,4-5\n");
            Assert.Equal(8, PhysicalCores.Count(root, 8)); // which share a core is not told
            for (int cpu = 0; cpu < 8; cpu++)
            {
                string topology = Directory.CreateDirectory($"{root}/sys/devices/system/cpu/cpu{cpu}/topology").FullName;
                File.WriteAllText($"{topology}/thread_siblings_list", $"{cpu % 4},{(cpu % 4) + 4}\n");
            }

            Assert.Equal([0, 1, 2], PhysicalCores.Processors(root));
            Assert.Equal(3, PhysicalCores.Count(root, 8));
            Assert.Equal(2, PhysicalCores.Count(root, 2));

            // A quota of one and a half processors.
            File.WriteAllText($"{root}/proc/self/cgroup", "0::/\n");
            Directory.CreateDirectory($"{root}/sys/fs/cgroup");
            File.WriteAllText($"{root}/sys/fs/cgroup/cpu.max", "150000 100000\n");
            Assert.Equal(2, PhysicalCores.Count(root, 8));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void A_range_may_wait_for_an_earlier_one_and_learns_that_it_failed(int threads)
    {
        using var pool = new WorkerPool(threads);
        for (int round = 0; round < 200; round++)
        {
            var done = new int[20];
            pool.Run(new WaitForFirst(pool, done, fails: false), done.Length, grain: 1);
            Assert.All(done, one => Assert.Equal(1, one));
            Assert.Throws<FormatException>(() => pool.Run(new WaitForFirst(pool, new int[20], fails: true), 20, grain: 1));
            Assert.False(pool.HasFailed);
        }
    }

    private readonly struct WaitForFirst(WorkerPool pool, int[] done, bool fails) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            if (begin == 0 && fails)
                throw new FormatException("item 0");
            var spinner = new SpinWait();
            while (begin > 0 && Volatile.Read(ref done[0]) == 0 && !pool.HasFailed)
                spinner.SpinOnce(sleep1Threshold: -1);
            Volatile.Write(ref done[begin], 1);
        }
    }

    /// <summary>Each thread takes one range, as none ends before all have begun.</summary>
    [Fact]
    public void Pinned_threads_stay_on_a_processor_each()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux lists a thread's processors in a file.");
        int threads = ThreadPin.Processors().Length;
        Assert.SkipUnless(threads > 1, "This process may use one core only.");
        var places = new string[threads];
        using var all = new Barrier(threads);
        using (var pool = new WorkerPool(threads, pin: true, warn: Assert.Fail))
            pool.Run(new Where(places, all, Environment.CurrentManagedThreadId), threads, grain: 1);
        string[] pinned = [.. places.Where(place => place.Length > 0)];
        Assert.Equal(threads - 1, pinned.Length);
        Assert.Equal(ThreadPin.Processors()[1..].Select(processor => $"{processor}").Order(), pinned.Order());
    }

    [Fact]
    public void More_threads_than_cores_are_not_pinned_and_that_is_said()
    {
        var warnings = new List<string>();
        using var pool = new WorkerPool(ThreadPin.Processors().Length + 1, pin: true, warnings.Add);
        Assert.StartsWith("Threads are not pinned to cores: ", Assert.Single(warnings), StringComparison.Ordinal);
        var done = new int[100];
        pool.Run(new Mark(done, 7), done.Length, 7);
        Assert.All(done, count => Assert.Equal(1, count));
    }

    /// <summary>Writes down the processors that the thread may use; nothing of the caller.</summary>
    private readonly struct Where(string[] places, Barrier all, int caller) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            all.SignalAndWait();
            string line = File.ReadLines("/proc/thread-self/status").First(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal));
            places[begin] = Environment.CurrentManagedThreadId == caller ? "" : line.Split('\t')[1];
        }
    }

    private readonly struct Mark(int[] done, int longest) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            if (end - begin > longest)
                throw new InvalidOperationException("A range is longer than the grain.");
            for (int i = begin; i < end; i++)
                Interlocked.Increment(ref done[i]);
        }
    }

    private readonly struct MarkOther(int[] done) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            for (int i = begin; i < end; i++)
                Interlocked.Increment(ref done[i]);
        }
    }

    private readonly struct Fail(int item) : IRangeJob
    {
        public void Run(int begin, int end)
        {
            if (begin <= item && item < end)
                throw new FormatException($"item {item}");
        }
    }

    private readonly struct Nest(WorkerPool pool) : IRangeJob
    {
        public void Run(int begin, int end) => pool.Run(new Mark(new int[4], 1), 4, 1);
    }

    private readonly struct Meet(Barrier barrier) : IRangeJob
    {
        public void Run(int begin, int end) => barrier.SignalAndWait();
    }
}
