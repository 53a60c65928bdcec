using Pure.Engine.Threading;

namespace Pure.Engine.Layers;

/// <summary>A job that knows its items: one parallel region, or a part of one.</summary>
internal interface IWork : IRangeJob
{
    /// <summary>Number of items, each worth a ticket.</summary>
    int Count { get; }
}

/// <summary>Two works that do not read one another's results, in one parallel region: their items are numbered through.</summary>
internal readonly struct Both<TFirst, TSecond>(TFirst first, TSecond second) : IWork
    where TFirst : struct, IWork
    where TSecond : struct, IWork
{
    private readonly TFirst _first = first;
    private readonly TSecond _second = second;

    /// <inheritdoc/>
    public int Count => _first.Count + _second.Count;

    /// <inheritdoc/>
    public void Run(int begin, int end)
    {
        int cut = _first.Count;
        if (begin < cut)
            _first.Run(begin, Math.Min(end, cut));
        if (end > cut)
            _second.Run(Math.Max(begin, cut) - cut, end - cut);
    }
}
