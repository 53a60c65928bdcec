namespace Pure.Engine.Generation;

/// <summary>
/// The tokens that continue a prompt: read with <c>await foreach</c>, or one by one with <see cref="TryNext"/>. A <see cref="Session"/>
/// computes them as they are read, a <see cref="Scheduler"/> in the background together with those of other texts.
/// </summary>
public abstract class Completion : IAsyncEnumerable<GeneratedToken>, IDisposable
{
    private protected Completion()
    {
    }

    /// <summary>Why it ended; <see langword="null"/> while it has not, or if it failed.</summary>
    public abstract FinishReason? FinishReason { get; }

    /// <summary>The id that ended it, where <see cref="FinishReason.EndToken"/> is the reason.</summary>
    public abstract int? EndToken { get; }

    /// <summary>Tokens of the prompt whose keys and values were there already, so that they were not read again.</summary>
    public abstract int CachedTokens { get; }

    /// <summary>What it did so far and how long it took.</summary>
    public abstract GenerationTimings Timings { get; }

    /// <summary>What came of guessing ahead; all 0 where <see cref="GenerationOptions.Speculation"/> was not asked for.</summary>
    public abstract DraftCounts Drafts { get; }

    /// <summary>Computes the next token on this thread, or waits for it; false when the text has ended.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InvalidOperationException">Another completion of the session is running.</exception>
    /// <exception cref="InvalidRequestException">The session has grown since, so that the prompt no longer fits.</exception>
    /// <exception cref="ObjectDisposedException">The session, the scheduler or the model was disposed.</exception>
    public abstract bool TryNext(out GeneratedToken token);

    /// <summary>Streams the tokens; once.</summary>
    /// <exception cref="InvalidOperationException">It was streamed before.</exception>
    public abstract IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default);

    /// <summary>Ends it early, and frees what it holds. <c>await foreach</c> does so by itself.</summary>
    public abstract void Dispose();
}
