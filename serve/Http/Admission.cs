namespace Pure.Serve.Http;

/// <summary>
/// Who writes and who waits. A text that is written has a slot; what waits is counted, and refused beyond a limit. When the server
/// drains, requests that have begun go on, those that wait leave at once, and no other comes in.
/// </summary>
internal sealed class Admission : IDisposable
{
    private readonly SemaphoreSlim _slots;
    private readonly CancellationTokenSource _draining = new();
    private readonly int _capacity;
    private int _present; // texts written and waiting

    /// <param name="mostRunning">Most texts that are written at once.</param>
    /// <param name="mostWaiting">Most texts that wait.</param>
    internal Admission(int mostRunning, int mostWaiting)
    {
        _slots = new SemaphoreSlim(mostRunning);
        _capacity = (int)Math.Min((long)mostRunning + mostWaiting, int.MaxValue);
    }

    /// <summary>Most texts that one request can ask for.</summary>
    internal int Capacity => _capacity;

    /// <summary>Whether the server is about to end.</summary>
    internal bool IsDraining => _draining.IsCancellationRequested;

    /// <summary>Lets no other request begin.</summary>
    internal void Drain() => _draining.Cancel();

    /// <summary>Brings in the texts of one request, and waits for the slot of its first.</summary>
    /// <exception cref="ApiException">Too many wait already, or the server drains.</exception>
    internal async Task<Visit> EnterAsync(int texts, CancellationToken cancellation)
    {
        if (IsDraining)
            throw ApiException.Draining();
        if (Interlocked.Add(ref _present, texts) > _capacity)
        {
            Interlocked.Add(ref _present, -texts);
            throw ApiException.QueueFull();
        }

        try
        {
            using var leave = CancellationTokenSource.CreateLinkedTokenSource(_draining.Token, cancellation);
            await _slots.WaitAsync(leave.Token);
            return new Visit(this, texts);
        }
        catch (OperationCanceledException) when (IsDraining && !cancellation.IsCancellationRequested)
        {
            Interlocked.Add(ref _present, -texts);
            throw ApiException.Draining();
        }
        catch
        {
            Interlocked.Add(ref _present, -texts);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _slots.Dispose();
        _draining.Dispose();
    }

    /// <summary>The texts of one request that was let in. Its first slot is taken.</summary>
    internal sealed class Visit(Admission admission, int texts) : IDisposable
    {
        private bool _firstIsTaken = true;

        /// <summary>Waits for a slot; the first call gets the one that is taken.</summary>
        internal Task WaitAsync(CancellationToken cancellation)
        {
            if (!_firstIsTaken)
                return admission._slots.WaitAsync(cancellation);
            _firstIsTaken = false;
            return Task.CompletedTask;
        }

        /// <summary>Gives a slot back.</summary>
        internal void Free() => admission._slots.Release();

        /// <summary>All its texts are written, or given up.</summary>
        public void Dispose()
        {
            if (_firstIsTaken)
                Free();
            Interlocked.Add(ref admission._present, -texts);
        }
    }
}
