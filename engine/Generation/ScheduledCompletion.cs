using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// A text that a <see cref="Scheduler"/> writes. The scheduler's thread alone reads the prompt and adds tokens; a reader takes them from a channel,
/// which the length of the text bounds.
/// </summary>
internal sealed class ScheduledCompletion : Completion
{
    private readonly Scheduler _scheduler;
    private readonly GenerationOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly TokenChoice _choice;
    private readonly PromptLookup? _lookup;
    private readonly DraftBudget? _budget;
    private readonly int[] _draft = [];
    private readonly List<int> _tokens;
    private readonly Channel<GeneratedToken> _written =
        Channel.CreateUnbounded<GeneratedToken>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly long _submitted = Stopwatch.GetTimestamp();
    private CancellationTokenRegistration _registration;
    private long _firstToken; // timestamps; 0 for not yet
    private long _lastToken;
    private int _count;
    private int _isStreamed;
    private volatile bool _isCancelled;
    private FinishReason? _finishReason;
    private int? _endToken;
    private int _cachedTokens;

    internal ScheduledCompletion(
        Scheduler scheduler, ReadOnlySpan<int> prompt, GenerationOptions options, string scope, CancellationToken cancellation)
    {
        _scheduler = scheduler;
        _options = options;
        _cancellation = cancellation;
        _choice = new TokenChoice(options, scheduler.Model.Info.VocabularySize);
        _tokens = [.. prompt];
        PromptLength = prompt.Length;
        Scope = scope;
        if (options.Speculation == Speculation.Lookup)
        {
            _lookup = new PromptLookup(scheduler.ContextLength);
            _budget = new DraftBudget(options.DraftTokens);
            _draft = new int[options.DraftTokens];
        }
    }

    public override FinishReason? FinishReason => _finishReason;

    public override int? EndToken => _endToken;

    public override int CachedTokens => _cachedTokens;

    public override GenerationTimings Timings => _firstToken == 0
        ? default
        : new(PromptLength, Stopwatch.GetElapsedTime(_submitted, _firstToken), _count, Stopwatch.GetElapsedTime(_firstToken, _lastToken));

    public override DraftCounts Drafts => _budget?.Counts ?? default;

    /// <summary>Texts of other scopes share nothing with it.</summary>
    internal string Scope { get; }

    /// <summary>The prompt, then what was written.</summary>
    internal ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <summary>Tokens of the prompt.</summary>
    internal int PromptLength { get; }

    /// <summary>Whether logits are wanted at all.</summary>
    internal bool WantsTokens => _options.MaxTokens != 0;

    /// <summary>Its keys and values; null while it waits.</summary>
    internal Sequence? Sequence { get; set; }

    /// <summary>Full blocks of the sequence that lie on its path in the tree.</summary>
    internal int Blocks { get; set; }

    /// <summary>The last node of that path.</summary>
    internal PrefixTree.Node Node { get; set; } = null!;

    /// <summary>Rows in the batch.</summary>
    internal int Planned { get; set; }

    /// <summary>Tokens that are not in the cache.</summary>
    internal int Unread => _tokens.Count - Sequence!.Length;

    /// <summary>Guesses at the tokens after those of the text, of which the pass reads so many.</summary>
    internal ReadOnlySpan<int> Draft => _draft.AsSpan(0, Guesses);

    /// <summary>Their number.</summary>
    internal int Guesses { get; private set; }

    /// <summary>Whether nothing was written yet.</summary>
    internal bool IsPrompt => _count == 0;

    /// <summary>Whether nobody wants more of it.</summary>
    internal bool IsCancelled => _isCancelled;

    /// <summary>Whether it takes no further part.</summary>
    internal bool HasEnded { get; private set; }

    public override bool TryNext(out GeneratedToken token)
    {
        while (!_written.Reader.TryRead(out token))
        {
            if (!_written.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
                return false;
        }

        return true;
    }

    public override IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isStreamed, 1) != 0)
            throw new InvalidOperationException("The completion has been read already; call Scheduler.Submit for another one.");
        return new Reader(this, cancellationToken);
    }

    public override void Dispose() => Cancel();

    /// <summary>Follows the caller's token from here on.</summary>
    internal void Follow() => _registration = _cancellation.UnsafeRegister(text => ((ScheduledCompletion)text!).Cancel(), this);

    /// <summary>Remembers what others had read of the prompt, before its first token.</summary>
    internal void TookOver(int tokens) => _cachedTokens = Math.Min(tokens, PromptLength);

    /// <summary>Guesses what follows, where that was asked for.</summary>
    /// <param name="most">Most guesses that the pass has rows for.</param>
    /// <param name="contextLength">Most tokens of the text.</param>
    internal void Guess(int most, int contextLength)
    {
        Guesses = 0;
        if (_lookup is null || IsPrompt)
            return;
        most = Math.Min(Math.Min(most, _budget!.Next()), Math.Min(contextLength - _tokens.Count, (_options.MaxTokens ?? int.MaxValue) - _count - 1));
        Guesses = most > 0 ? _lookup.Propose(Tokens, _draft.AsSpan(0, most)) : 0;
    }

    /// <summary>Says that the guesses are not read.</summary>
    internal void DropGuesses() => Guesses = 0;

    /// <summary>
    /// Chooses tokens from the logits of the last token and of the guesses after it, as long as what is chosen was guessed. What the sequence
    /// holds beyond them is forgotten.
    /// </summary>
    /// <returns>The reason, where the text has ended.</returns>
    internal FinishReason? Choose(Logits logits, int row, int contextLength)
    {
        _budget?.Read(Guesses);
        FinishReason? reason;
        for (int guess = 0; ; guess++)
        {
            reason = Choose(logits[row + guess], contextLength);
            if (guess == Guesses || _tokens[^1] != _draft[guess])
                break;
            _budget!.Accept();
            if (reason is not null)
                break;
        }

        Sequence!.Truncate(Math.Min(Sequence.Length, _tokens.Count - 1));
        Guesses = 0;
        return reason;
    }

    /// <summary>Chooses the next token; the reason where the text ends with it or without it.</summary>
    private FinishReason? Choose(ReadOnlySpan<float> logits, int contextLength)
    {
        int id = _choice.Choose(logits, Tokens, _tokens.Count);
        _tokens.Add(id);
        _lastToken = Stopwatch.GetTimestamp();
        if (_firstToken == 0)
            _firstToken = _lastToken;
        if (_choice.Ends(id))
        {
            _count++;
            _endToken = id;
            return Generation.FinishReason.EndToken;
        }

        _written.Writer.TryWrite(_choice.Describe(logits, id, _count++));
        if (_count == _options.MaxTokens)
            return Generation.FinishReason.MaxTokens;
        return _tokens.Count > contextLength ? Generation.FinishReason.ContextFull : null;
    }

    /// <summary>Ends it.</summary>
    internal void End(FinishReason reason)
    {
        bool wasCancelled = reason == Generation.FinishReason.Cancelled && _cancellation.IsCancellationRequested;
        _finishReason = reason;
        Close(wasCancelled ? new OperationCanceledException(_cancellation) : null);
    }

    /// <summary>Ends it with what it failed with, which its reader is thrown.</summary>
    internal void Fail(Exception failed) => Close(failed);

    private void Close(Exception? failed)
    {
        HasEnded = true;
        _written.Writer.TryComplete(failed);
        _registration.Unregister();
    }

    private void Cancel()
    {
        _isCancelled = true;
        _scheduler.Wake();
    }

    private sealed class Reader(ScheduledCompletion text, CancellationToken cancellation) : IAsyncEnumerator<GeneratedToken>
    {
        private GeneratedToken _current;

        public GeneratedToken Current => _current;

        public async ValueTask<bool> MoveNextAsync()
        {
            while (!text._written.Reader.TryRead(out _current))
            {
                if (!await text._written.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false))
                    return false;
            }

            return true;
        }

        public ValueTask DisposeAsync()
        {
            text.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
