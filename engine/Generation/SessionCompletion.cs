using System.Diagnostics;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>A completion that is computed as it is read, on the reader's thread or on the thread pool. A token allocates nothing.</summary>
internal sealed class SessionCompletion : Completion
{
    private readonly Session _session;
    private readonly int[] _prompt;
    private readonly GenerationOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly TokenChoice _choice;
    private readonly int _chunk;
    private readonly Drafts? _drafts;
    private readonly Lock _lock = new(); // one reader at a time; Dispose waits for the token being computed
    private State _state;
    private bool _isStreamed;
    private FinishReason? _finishReason;
    private int? _endToken;
    private int _cachedTokens;
    private int _start; // session length before the prompt
    private int _written;
    private TimeSpan _promptTime;
    private TimeSpan _generationTime;

    internal SessionCompletion(Session session, int[] prompt, GenerationOptions options, CancellationToken cancellation)
    {
        _session = session;
        _prompt = prompt;
        _options = options;
        _cancellation = cancellation;
        _choice = new TokenChoice(options, session.Model.Info.VocabularySize);
        _chunk = options.PromptChunk ?? session.Model.Options.MaxBatchRows;
        _drafts = options.Speculation == Speculation.None ? null : new Drafts(session, options);
    }

    private enum State
    {
        Created,
        Running,
        Ended,
    }

    public override FinishReason? FinishReason => _finishReason;

    public override int? EndToken => _endToken;

    public override int CachedTokens => _cachedTokens;

    public override GenerationTimings Timings => new(
        _promptTime == TimeSpan.Zero ? 0 : _prompt.Length, _promptTime, _written + (_endToken is null ? 0 : 1), _generationTime);

    public override DraftCounts Drafts => _drafts?.Counts ?? default;

    public override bool TryNext(out GeneratedToken token) => TryNext(CancellationToken.None, out token);

    public override IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_isStreamed)
                throw new InvalidOperationException("The completion has been read already; call Session.Generate for another one.");
            _isStreamed = true;
            return new TokenStream(this, cancellationToken);
        }
    }

    public override void Dispose()
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
        _cachedTokens = _session.RestoredTokens;
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
        int id = _choice.Choose(logits, _session.Tokens, position);
        _session.Append(id);
        if (_session.IsRead)
            _drafts?.Accept();
        if (_choice.Ends(id))
        {
            _endToken = id;
            token = default;
            return End(Generation.FinishReason.EndToken);
        }

        token = _choice.Describe(logits, id, _written++);
        return true;
    }

    private bool End(FinishReason? reason)
    {
        _finishReason = reason;
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
