namespace Pure.Engine.Threading;

/// <summary>A piece of work over numbered items that can be cut into ranges.</summary>
internal interface IRangeJob
{
    /// <summary>Does the items from <paramref name="begin"/> to <paramref name="end"/> - 1.</summary>
    void Run(int begin, int end);
}

/// <summary>The threads a model computes with.</summary>
internal sealed class WorkerPool : IDisposable
{
    internal WorkerPool(int threads) => Threads = threads;

    internal int Threads { get; }

    /// <summary>Runs <paramref name="job"/> over the items 0 to <paramref name="count"/> - 1 and returns when all are done.</summary>
    /// <param name="job">What to do; copied, so that a struct of references costs no allocation.</param>
    /// <param name="count">Number of items.</param>
    /// <param name="grain">Items handed out at a time.</param>
    internal void Run<TJob>(in TJob job, int count, int grain)
        where TJob : struct, IRangeJob
    {
        TJob copy = job;
        for (int begin = 0; begin < count; begin += Math.Max(grain, count / Threads))
            copy.Run(begin, Math.Min(count, begin + Math.Max(grain, count / Threads)));
    }

    public void Dispose()
    {
    }
}
