using System.Threading.Tasks.Sources;

namespace Pure.Engine.Generation;

/// <summary>
/// Reads a completion from a thread-pool thread. It is its own work item and its own value task, so that a token allocates nothing.
/// </summary>
internal sealed class TokenStream(SessionCompletion completion, CancellationToken cancellation)
    : IAsyncEnumerator<GeneratedToken>, IValueTaskSource<bool>, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<bool> _source;
    private GeneratedToken _current;

    public GeneratedToken Current => _current;

    public ValueTask<bool> MoveNextAsync()
    {
        _source.Reset();
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return new ValueTask<bool>(this, _source.Version);
    }

    public ValueTask DisposeAsync()
    {
        completion.Dispose();
        return ValueTask.CompletedTask;
    }

    void IThreadPoolWorkItem.Execute()
    {
        bool more;
        try
        {
            more = completion.TryNext(cancellation, out _current);
        }
        catch (Exception exception)
        {
            _source.SetException(exception);
            return;
        }

        _source.SetResult(more);
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
