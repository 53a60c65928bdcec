using System.Diagnostics;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Serve.Benchmark;

/// <summary>
/// Measures a model: reads prompts and decodes tokens of seeded random ids, so that a mixture's tokens go to many experts and speed does
/// not hang on what a model happens to say. Logits are computed for the last token of a prompt and for each decoded one; nothing is sampled.
/// </summary>
internal sealed class BenchRun : IDisposable
{
    private const int Seed = 1;
    private const int BandwidthPasses = 3;
    private const long LeastWeights = 256L << 20; // far beyond any cache that this is likely to meet
    private static readonly TimeSpan LeastWarmUp = TimeSpan.FromSeconds(1);

    private readonly Model _model;
    private readonly BenchCase _case;
    private readonly KvCache _cache;
    private readonly Sequence[] _sequences;
    private readonly Batch _batch;
    private readonly int[] _ids;
    private readonly List<double> _prefill = [];
    private readonly List<double> _decode = [];
    private readonly List<double> _bandwidth = [];
    private readonly List<double> _stepsPerByte = [];
    private readonly List<double> _allocated = [];
    private bool _isWarm;

    /// <summary>Makes room for <paramref name="what"/>.</summary>
    /// <exception cref="UsageException">It does not fit the model.</exception>
    internal BenchRun(Model model, BenchCase what)
    {
        int context = model.Info.ContextLength;
        if (what.Positions > context)
            throw new UsageException($"{what.Positions} positions are to be measured, but the model's context is {context} tokens; lower -p, -n or --depth.");
        if (what.Batch > model.Options.MaxBatchRows)
            throw new UsageException($"--batch is {what.Batch}, but --prompt-chunk allows {model.Options.MaxBatchRows} rows at once; raise that or lower --batch.");
        _model = model;
        _case = what;
        int blocks = (what.Positions + KvCache.BlockPositions - 1) / KvCache.BlockPositions;
        _cache = model.CreateCache(what.Batch * blocks * KvCache.BlockPositions);
        _sequences = new Sequence[what.Batch];
        for (int index = 0; index < _sequences.Length; index++)
            _sequences[index] = _cache.CreateSequence();
        _batch = new Batch(model.Options.MaxBatchRows);
        var random = new Random(Seed);
        _ids = new int[what.Positions];
        for (int index = 0; index < _ids.Length; index++)
            _ids[index] = random.Next(model.Info.VocabularySize);
    }

    /// <summary>Prompt tokens per second.</summary>
    internal Measured? Prefill => Measured.Of(_prefill);

    /// <summary>Decoded tokens per second, those of all sequences together.</summary>
    internal Measured? Decode => Measured.Of(_decode);

    /// <summary>Bytes per second that as many threads could read: of each repetition the best, measured before, between and after its runs.</summary>
    internal Measured? Bandwidth => Measured.Of(_bandwidth);

    /// <summary>Decoding steps in the time in which as many threads could have read one byte: of each repetition, by its own bandwidth.</summary>
    internal Measured? StepsPerByte => Measured.Of(_stepsPerByte);

    /// <summary>Bytes of garbage per decoded token.</summary>
    internal Measured? AllocatedPerToken => Measured.Of(_allocated);

    /// <summary>Barriers of a layer in the last step.</summary>
    internal double BarriersPerLayer => _model.BarriersPerLayer;

    /// <summary>The hash of the last logits: where it changes, so does what the model says.</summary>
    internal string LogitsHash { get; private set; } = "";

    /// <summary>The most memory that the process had up to the end of the warm-up, before anything was allocated to measure bandwidth with.</summary>
    internal long PeakBytes { get; private set; }

    /// <summary>Measures each thing once more; the first call warms up before.</summary>
    /// <exception cref="OperationCanceledException">The user stopped it.</exception>
    internal void Repeat(ReadBandwidth bandwidth, CancellationToken cancellation)
    {
        if (!_isWarm)
            WarmUp(cancellation);

        // Other users of the machine's memory come and go: the roof is looked at as close to the runs as possible.
        double best = Roof(bandwidth);
        if (_case.Prompt > 0)
        {
            _prefill.Add(ReadPrompt(cancellation));
            best = Math.Max(best, Roof(bandwidth));
        }

        if (_case.Generate > 0)
        {
            (double speed, double allocated) = WriteTokens(cancellation);
            _decode.Add(speed);
            _allocated.Add(allocated);
            best = Math.Max(best, Roof(bandwidth));
            _stepsPerByte.Add(speed / _case.Batch / best);
        }

        _bandwidth.Add(best);
    }

    /// <summary>
    /// Bytes per second of a loop that only reads: the model's own weights, because not all of a machine's memory is equally fast, or other
    /// memory where those could lie in caches or are used as mapped.
    /// </summary>
    private double Roof(ReadBandwidth bandwidth)
    {
        double best = 0;
        for (int pass = 0; pass < BandwidthPasses; pass++)
        {
            long started = Stopwatch.GetTimestamp();
            long bytes = _model.ReadWeights();
            if (bytes < LeastWeights)
                return bandwidth.Best(BandwidthPasses);
            best = Math.Max(best, bytes / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return best;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Sequence sequence in _sequences)
            sequence.Dispose();
        _cache.Dispose();
    }

    /// <summary>Fills the cache to its depth, and runs until weights are in memory and the compiler has done its best.</summary>
    private void WarmUp(CancellationToken cancellation)
    {
        for (int index = 0; _case.Depth > 0 && index < _sequences.Length; index++)
            Read(_sequences[index], 0, _case.Depth, cancellation);
        long started = Stopwatch.GetTimestamp();
        do
        {
            if (_case.Prompt > 0)
                ReadPrompt(cancellation);
            if (_case.Generate > 0)
                WriteTokens(cancellation);
        }
        while (Stopwatch.GetElapsedTime(started) < LeastWarmUp);
        _isWarm = true;
        PeakBytes = Figures.PeakMemory;
    }

    /// <summary>Tokens per second.</summary>
    private double ReadPrompt(CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        Logits logits = Read(_sequences[0], _case.Depth, _case.Prompt, cancellation);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Finish(logits);
        return _case.Prompt / seconds;
    }

    /// <summary>Tokens per second, and bytes of garbage per token.</summary>
    private (double Speed, double Allocated) WriteTokens(CancellationToken cancellation)
    {
        Logits logits = default;
        foreach (Sequence sequence in _sequences)
            sequence.PromptLength = sequence.Length;
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        long started = Stopwatch.GetTimestamp();
        for (int step = 0; step < _case.Generate; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            _batch.Clear();
            for (int index = 0; index < _sequences.Length; index++)
                _batch.Add(_sequences[index], _ids[(_case.Depth + step + index) % _ids.Length], wantsLogits: true);
            logits = _model.Forward(_batch);
        }

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        Finish(logits);
        double tokens = (double)_case.Generate * _case.Batch;
        return (tokens / seconds, allocated / tokens);
    }

    private Logits Read(Sequence sequence, int start, int count, CancellationToken cancellation)
    {
        Logits logits = default;
        sequence.PromptLength = start + count;
        for (int done = 0; done < count; done += _batch.Count)
        {
            cancellation.ThrowIfCancellationRequested();
            _batch.Clear();
            int rows = Math.Min(_batch.Capacity, count - done);
            for (int row = 0; row < rows; row++)
                _batch.Add(sequence, _ids[start + done + row], wantsLogits: done + row == count - 1);
            logits = _model.Forward(_batch);
        }

        return logits;
    }

    private void Finish(Logits logits)
    {
        using var hash = new LogitsHash();
        hash.Add(0, logits[0]);
        LogitsHash = hash.ToString();
        foreach (Sequence sequence in _sequences)
            sequence.Truncate(_case.Depth);
    }
}
