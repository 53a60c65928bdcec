using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// Writes many texts at once: each forward pass takes a token of every text that is written and a part of the prompts that are read, so that
/// weights are read once for all of them. Texts join and leave between passes. The tokens of a text and their probabilities are to the bit what
/// they are alone. Any thread may submit; the passes are computed by one of the scheduler's own.
/// </summary>
/// <remarks>
/// Continuous batching is that of Orca (Yu et al. 2022, OSDI, section 4). Where the cache is full, the text that came last gives up its room and
/// is read again later, as in vLLM (Kwon et al. 2023, arXiv:2309.06180, section 4.5), and so goes on with the same bits.
/// </remarks>
public sealed class Scheduler : IDisposable
{
    private readonly SchedulerOptions _options;
    private readonly ContinuousBatch _texts; // under the model's gate
    private readonly LinkedList<ScheduledCompletion> _waiting = []; // under _queue
    private readonly Lock _queue = new();
    private readonly AutoResetEvent _work = new(false);
    private readonly Thread _thread;
    private SchedulerCounts _counts; // under _queue
    private Exception? _failure; // under _queue
    private volatile bool _isStopping;

    /// <summary>Makes the cache and starts the thread that computes.</summary>
    /// <param name="model">The model; it must outlive the scheduler.</param>
    /// <param name="options">How much at once.</param>
    /// <exception cref="InvalidRequestException">An option is outside its range, or the machine has not the memory.</exception>
    public Scheduler(Model model, SchedulerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new SchedulerOptions();
        int limit = model.Info.ContextLength;
        int context = options.ContextLength ?? Math.Min(limit, options.CachePositions ?? limit);
        if (context < 1 || context > limit)
            throw new InvalidRequestException($"A context of {context} tokens was asked for; this model takes 1 to {limit}.");
        int positions = options.CachePositions ?? context;
        if (positions < context)
            throw new InvalidRequestException($"A cache of {positions} positions has no room for a text of {context} tokens; make it larger, or the context shorter.");
        int rows = model.Options.MaxBatchRows;
        if (options.MaxRunning < 1 || options.MaxRunning > rows)
            throw new InvalidRequestException($"{options.MaxRunning} texts at once were asked for; give a number from 1 to the model's largest batch, {rows}.");
        if (options.MaxWaiting < 0)
            throw new InvalidRequestException($"{options.MaxWaiting} texts were to wait at most; give 0 or more.");
        if (options.PromptChunk < 1)
            throw new InvalidRequestException($"The prompt chunk is {options.PromptChunk} tokens; give at least 1.");
        Model = model;
        ContextLength = context;
        _options = options;
        _texts = new ContinuousBatch(model, positions, context, options, PutBack);
        _counts = _texts.Counts;
        _thread = new Thread(Run) { Name = "Pure scheduler", IsBackground = true };
        _thread.Start();
    }

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>Most tokens of one text, prompt included.</summary>
    public int ContextLength { get; }

    /// <summary>What it does now, and did so far.</summary>
    public SchedulerCounts Counts
    {
        get
        {
            lock (_queue)
                return _counts with { Waiting = _waiting.Count };
        }
    }

    /// <summary>Adds a text to those that are written.</summary>
    /// <param name="prompt">Token ids; copied.</param>
    /// <param name="options">
    /// What to generate; a full context is not shifted (<see cref="GenerationOptions.ShiftKeep"/>), guesses come from the text itself
    /// (<see cref="Speculation.Lookup"/>), and prompts are cut as the scheduler's options say.
    /// </param>
    /// <param name="scope">Texts of different scopes share no computed beginnings, so that no one can tell from the time what another has sent.</param>
    /// <param name="cancellationToken">Ends it before the next pass, with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="InvalidRequestException">
    /// The prompt is empty, does not fit the context or has an id outside the vocabulary, or an option is outside its range.
    /// </exception>
    /// <exception cref="QueueFullException">As many texts wait as may wait.</exception>
    public Completion Submit(
        ReadOnlySpan<int> prompt, GenerationOptions? options = null, string scope = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(scope);
        options ??= new GenerationOptions();
        TokenChoice.Check(prompt, options, Model.Info);
        if (prompt.Length > ContextLength)
        {
            throw new InvalidRequestException(
                $"The prompt has {prompt.Length} tokens, but the context is {ContextLength}; shorten it or use a longer context.");
        }

        if (options.ShiftKeep is not null)
            throw new InvalidRequestException("A full context is not shifted where texts are written together; leave that out, or use a session.");
        if (options.Speculation is not (Speculation.None or Speculation.Lookup))
            throw new InvalidRequestException("Where texts are written together guesses come from the text itself (lookup); choose that, or use a session.");
        if (options.Speculation != Speculation.None)
            Drafts.Check(Model, options);
        var text = new ScheduledCompletion(this, prompt, options, scope, cancellationToken);
        lock (_queue)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            if (_failure is not null)
                throw new InvalidOperationException($"No more texts are written since one pass failed: {_failure.Message}", _failure);
            if (_counts.Running + _waiting.Count >= _options.MaxRunning + _options.MaxWaiting)
                throw new QueueFullException($"{_counts.Running} texts are written and {_waiting.Count} wait, which is as many as may; try again later.");

            text.Follow();
            _waiting.AddLast(text);
        }

        _work.Set();
        return text;
    }

    /// <summary>Ends all texts with <see cref="ObjectDisposedException"/>, after the forward pass that may be running, and frees the cache.</summary>
    public void Dispose()
    {
        lock (_queue)
        {
            if (_isStopping)
                return;
            _isStopping = true;
        }

        _work.Set();
        _thread.Join();
        _work.Dispose();
    }

    /// <summary>Says that a text was cancelled.</summary>
    internal void Wake()
    {
        lock (_queue)
        {
            if (!_isStopping)
                _work.Set();
        }
    }

    private void Run()
    {
        Exception stopped = new ObjectDisposedException(nameof(Scheduler));
        try
        {
            while (!_isStopping)
            {
                bool hasWork;
                lock (Model.Gate)
                    hasWork = Step();
                if (!hasWork)
                    _work.WaitOne();
            }
        }
        catch (Exception failed)
        {
            // Between passes: there is no memory for a cache in a device's place, say.
            stopped = failed;
        }

        lock (_queue)
        {
            _failure = _isStopping ? null : stopped;
            foreach (ScheduledCompletion text in _waiting)
                text.Fail(stopped);
            _waiting.Clear();
        }

        lock (Model.Gate)
        {
            _texts.Fail(stopped);
            _texts.Dispose();
        }
    }

    /// <summary>One forward pass; false when there is nothing to compute.</summary>
    private bool Step()
    {
        _texts.DropCancelled();
        lock (_queue)
        {
            DropCancelled();
            Admit();
            _counts = _texts.Counts;
        }

        bool hasWork = _texts.Step();
        lock (_queue)
            _counts = _texts.Counts;
        return hasWork;
    }

    private void DropCancelled()
    {
        for (LinkedListNode<ScheduledCompletion>? node = _waiting.First; node is not null;)
        {
            LinkedListNode<ScheduledCompletion>? next = node.Next;
            if (node.Value.IsCancelled)
            {
                _waiting.Remove(node);
                node.Value.End(FinishReason.Cancelled);
            }

            node = next;
        }
    }

    /// <summary>Lets texts begin, in their order, while there is room.</summary>
    private void Admit()
    {
        while (_texts.Count < _options.MaxRunning && _waiting.First is { } first && _texts.HasRoom(first.Value))
        {
            _waiting.RemoveFirst();
            _texts.Join(first.Value);
        }
    }

    private void PutBack(ScheduledCompletion text)
    {
        lock (_queue)
            _waiting.AddFirst(text);
    }
}
