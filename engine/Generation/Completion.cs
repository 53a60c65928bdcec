using System.Diagnostics;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// The tokens that continue a prompt, computed as they are read: with <c>await foreach</c>, which computes on the thread pool, or
/// with <see cref="TryNext(out GeneratedToken)"/> on the caller's thread. Neither allocates per token, unless alternatives are asked for.
/// </summary>
public sealed class Completion : IAsyncEnumerable<GeneratedToken>, IDisposable
{
    private readonly Session _session;
    private readonly int[] _prompt;
    private readonly GenerationOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly Sampler _sampler;
    private readonly int[] _stopTokens;
    private readonly int _chunk;
    private readonly Drafts? _drafts;
    private readonly Lock _lock = new(); // one reader at a time; Dispose waits for the token being computed
    private State _state;
    private bool _isStreamed;
    private int _start; // session length before the prompt
    private int _written;
    private TimeSpan _promptTime;
    private TimeSpan _generationTime;

    internal Completion(Session session, int[] prompt, GenerationOptions options, CancellationToken cancellation)
    {
        _session = session;
        _prompt = prompt;
        _options = options;
        _cancellation = cancellation;
        _sampler = new Sampler(options.Sampling, session.Model.Info.VocabularySize);
        _stopTokens = [.. options.StopTokens];
        _chunk = options.PromptChunk ?? session.Model.Options.MaxBatchRows;
        _drafts = options.Speculation == Speculation.None ? null : new Drafts(session, options);
    }

    private enum State
    {
        Created,
        Running,
        Ended,
    }

    /// <summary>Why it ended; <see langword="null"/> while it has not, or if it failed.</summary>
    public FinishReason? FinishReason { get; private set; }

    /// <summary>The id that ended it, where <see cref="FinishReason.EndToken"/> is the reason.</summary>
    public int? EndToken { get; private set; }

    /// <summary>What it did so far and how long it took.</summary>
    public GenerationTimings Timings => new(
        _promptTime == TimeSpan.Zero ? 0 : _prompt.Length, _promptTime, _written + (EndToken is null ? 0 : 1), _generationTime);

    /// <summary>What came of guessing ahead; all 0 where <see cref="GenerationOptions.Speculation"/> was not asked for.</summary>
    public DraftCounts Drafts => _drafts?.Counts ?? default;

    /// <summary>Computes the next token on this thread; false when the text has ended.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InvalidOperationException">Another completion of the session is running.</exception>
    /// <exception cref="InvalidRequestException">The session has grown since, so that the prompt no longer fits.</exception>
    /// <exception cref="ObjectDisposedException">The session or the model was disposed.</exception>
    public bool TryNext(out GeneratedToken token) => TryNext(CancellationToken.None, out token);

    /// <summary>Streams the tokens; once.</summary>
    /// <exception cref="InvalidOperationException">It was streamed before.</exception>
    public IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_isStreamed)
                throw new InvalidOperationException("The completion has been read already; call Session.Generate for another one.");
            _isStreamed = true;
            return new TokenStream(this, cancellationToken);
        }
    }

    /// <summary>Ends it, so that the session is free for the next one. <c>await foreach</c> does so by itself.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_state != State.Ended)
                Abandon(Generation.FinishReason.Cancelled);
        }
    }

    internal bool TryNext(CancellationToken cancellation, out GeneratedToken token)
    {
        lock (_lock)
        {
            token = default;
            if (_state == State.Ended)
                return false;

            long started = Stopwatch.GetTimestamp();
            bool readsPrompt = _state == State.Created;
            try
            {
                if (readsPrompt)
                    Begin();
                else if (_written == _options.MaxTokens)
                    return End(Generation.FinishReason.MaxTokens);
                else if (_session.IsFull && !_session.TryShift(_options.ShiftKeep == -1 ? _start + _prompt.Length : _options.ShiftKeep))
                    return End(Generation.FinishReason.ContextFull);
                return Step(cancellation, out token);
            }
            catch (Exception exception)
            {
                Abandon(exception is OperationCanceledException ? Generation.FinishReason.Cancelled : null);
                throw;
            }
            finally
            {
                TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
                if (readsPrompt)
                    _promptTime = elapsed;
                else
                    _generationTime += elapsed;
            }
        }
    }

    private void Begin()
    {
        _start = _session.Enter(this, _prompt);
        _state = State.Running;
    }

    /// <summary>
    /// Reads what the cache lacks (the prompt in chunks, or the token before, perhaps with guesses) and chooses the next token.
    /// </summary>
    private bool Step(CancellationToken cancellation, out GeneratedToken token)
    {
        bool wantsToken = _options.MaxTokens != 0;
        while (true)
        {
            _cancellation.ThrowIfCancellationRequested();
            cancellation.ThrowIfCancellationRequested();
            if (_written > 0)
                _drafts?.Guess((_options.MaxTokens ?? int.MaxValue) - _written);
            lock (_session.Model.Gate)
            {
                if (_drafts is not null && _written > 0)
                    return Choose(_drafts.Next(), out token);
                bool isRead = _session.Read(_chunk, wantsToken, outlivesDevice: _drafts is null, out Logits logits);
                _drafts?.Follow();
                if (!isRead)
                    continue;
                if (wantsToken)
                    return Choose(logits[0], out token);
                token = default;
                return End(Generation.FinishReason.MaxTokens);
            }
        }
    }

    private bool Choose(ReadOnlySpan<float> logits, out GeneratedToken token)
    {
        int position = _session.Length + _session.Dropped;
        _options.LogitsObserver?.Invoke(position, logits);
        int id = _sampler.Sample(logits, _session.Tokens, position);
        _session.Append(id);
        if (_session.IsRead)
            _drafts?.Accept();
        if (_stopTokens.AsSpan().Contains(id))
        {
            EndToken = id;
            token = default;
            return End(Generation.FinishReason.EndToken);
        }

        double? logProbability = null;
        TokenLogProbability[] alternatives = [];
        if (_options.Sampling.TopLogProbabilities is int count)
        {
            alternatives = count == 0 ? [] : new TokenLogProbability[count];
            logProbability = _sampler.LogProbabilities(logits, id, alternatives);
        }

        token = new GeneratedToken(id, _written++, logProbability, alternatives);
        return true;
    }

    private bool End(FinishReason? reason)
    {
        FinishReason = reason;
        _state = State.Ended;
        _session.Leave(this);
        _drafts?.Dispose();
        return false;
    }

    /// <summary>Ends early. A prompt that led to no token is forgotten: part of it may not have been read.</summary>
    private void Abandon(FinishReason? reason)
    {
        if (_state == State.Running && _written == 0)
            _session.Forget(_start);
        End(reason);
    }
}
