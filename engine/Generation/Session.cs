using Pure.Engine.Devices;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// One conversation with a model: the tokens so far and their keys and values. Each <see cref="Generate"/> continues after what is
/// there. Many sessions may share a model and run at once; a session itself runs one generation at a time.
/// </summary>
public sealed class Session : IDisposable
{
    private KvCache _cache;
    private Sequence _sequence;
    private readonly Batch _batch;
    private readonly int[] _tokens; // [context + 1]: those sampled or given; beyond them what the cache has besides: guesses, or restored ones
    private readonly Lock _lock = new(); // over who runs; the model's gate is over the tokens and the cache
    private int _tokenCount;
    private int _given; // of the tokens, those at the beginning that were given, before any was written
    private SessionCompletion? _running;
    private bool _disposed;

    /// <summary>Starts an empty session.</summary>
    /// <param name="model">The model; it must outlive the session.</param>
    /// <param name="contextLength">
    /// Most tokens the session can hold; <see langword="null"/> takes all that the model was trained for. The cache is sized by it.
    /// </param>
    /// <exception cref="InvalidRequestException">The model cannot look back so far, or the machine has not the memory.</exception>
    public Session(Model model, int? contextLength = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        int limit = model.Info.ContextLength;
        ContextLength = contextLength ?? limit;
        if (ContextLength < 1 || ContextLength > limit)
            throw new InvalidRequestException($"A context of {ContextLength} tokens was asked for; this model takes 1 to {limit}.");
        Model = model;
        _cache = model.CreateCache(ContextLength);
        _sequence = _cache.CreateSequence();
        _batch = new Batch(model.Options.MaxBatchRows);
        _tokens = new int[ContextLength + 1];
    }

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>Most tokens the session can hold.</summary>
    public int ContextLength { get; }

    /// <summary>Tokens so far: prompts and what was written.</summary>
    public int Length => _tokenCount;

    /// <summary>Appends a prompt and continues it. Nothing is computed before the result is read.</summary>
    /// <param name="prompt">Token ids; copied.</param>
    /// <param name="options">What to generate.</param>
    /// <param name="cancellationToken">
    /// Stops before the next token, or the next chunk of the prompt, with <see cref="OperationCanceledException"/>. The
    /// prompt is forgotten if no token was written yet; written tokens stay in the session.
    /// </param>
    /// <exception cref="InvalidRequestException">
    /// The prompt is empty, does not fit the context or has an id outside the vocabulary, or an option is outside its range.
    /// </exception>
    public Completion Generate(
        ReadOnlySpan<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        options ??= new GenerationOptions();
        TokenChoice.Check(prompt, options, Model.Info);
        RequireRoom(prompt.Length);
        if (options.PromptChunk < 1 || options.PromptChunk > _batch.Capacity)
        {
            throw new InvalidRequestException(
                $"The prompt chunk is {options.PromptChunk} tokens; it must be from 1 to the model's largest batch, {_batch.Capacity}.");
        }

        if (options.Speculation != Speculation.None)
            Drafts.Check(Model, options);

        if (options.ShiftKeep is { } keep && (keep < -1 || keep >= ContextLength))
        {
            throw new InvalidRequestException(
                $"{keep} tokens are to be kept when the context is full; it holds {ContextLength}: keep from 0 to {ContextLength - 1}, or -1 for the prompt.");
        }

        if (options.ShiftKeep is not null && options.Speculation != Speculation.None)
        {
            throw new InvalidRequestException(
                "Guessing ahead goes by places in the text, which move when a full context drops its oldest tokens; choose one of the two.");
        }

        return new SessionCompletion(this, prompt.ToArray(), options, cancellationToken);
    }

    /// <summary>
    /// Tokens of the last prompt that were not read because <see cref="Restore"/> had brought their keys and values.
    /// </summary>
    public int RestoredTokens { get; private set; }

    /// <summary>
    /// Writes the tokens that the model has read, with their keys and values, so that another session, of this process or a later one, can
    /// <see cref="Restore"/> them. Where prompts are read in a form of their own (<see cref="ModelOptions.Mla"/>), those before the first
    /// that was written.
    /// </summary>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        lock (Model.Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            int kept = Math.Min(_tokenCount, _sequence.Length);

            // A prompt of the same tokens would read the written ones in the other form.
            if (Model.Options.Mla == LatentForm.Expanded)
                kept = Math.Min(kept, _given);
            PromptCache.Write(stream, Model.Fingerprint, _tokens.AsSpan(0, kept), _sequence);
        }
    }

    /// <summary>
    /// Brings back what <see cref="Save"/> wrote. The session stays empty: where the next prompt begins with the same tokens, their keys and
    /// values are not computed again, and all bits are as if they were. What the prompt does not begin with is forgotten then.
    /// </summary>
    /// <returns>How many tokens there are, at most as many as the context holds.</returns>
    /// <exception cref="ModelFormatException">
    /// It is damaged, or the model, an option that changes bits, or this library's arithmetic is another one.
    /// </exception>
    /// <exception cref="InvalidOperationException">The session is not empty, or a generation is running.</exception>
    public int Restore(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        lock (Model.Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_running is not null || _tokenCount > 0)
                throw new InvalidOperationException("Only an empty session can be restored; clear it first.");
            _sequence.Truncate(0);
            return PromptCache.Read(stream, Model.Fingerprint, Model.Info.VocabularySize, _tokens.AsSpan(0, ContextLength), _sequence);
        }
    }

    /// <summary>Forgets everything, so that the next prompt is the first.</summary>
    /// <exception cref="InvalidOperationException">A generation is running.</exception>
    public void Clear()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_running is not null)
                throw new InvalidOperationException("The session cannot be cleared while a generation runs; end or dispose that first.");
            _sequence.Truncate(0);
            _tokenCount = 0;
            _given = 0;
            Dropped = 0;
        }
    }

    /// <summary>Frees the cache, after the forward pass that may be running. A running generation then fails.</summary>
    public void Dispose()
    {
        lock (Model.Gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            _sequence.Dispose();
            _cache.Dispose();
        }
    }

    /// <summary>Its place in the cache.</summary>
    internal Sequence Sequence => _sequence;

    /// <summary>The rows of the last pass.</summary>
    internal ReadOnlySpan<BatchRow> Pass => _batch.Rows;

    internal ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, _tokenCount);

    /// <summary>Whether a token more than those so far can be read, so that one after it can be sampled.</summary>
    internal bool IsFull => _tokenCount > ContextLength;

    /// <summary>Makes the completion the one that may run, appends its prompt and returns the length before.</summary>
    internal int Enter(SessionCompletion completion, ReadOnlySpan<int> prompt)
    {
        lock (_lock)
        {
            if (_running is not null)
            {
                throw new InvalidOperationException(
                    "The session runs a generation already; read that to its end or dispose it first, or use a second session.");
            }

            RequireRoom(prompt.Length);
            int start = _tokenCount;
            Recall(start, prompt);
            prompt.CopyTo(_tokens.AsSpan(start));
            _tokenCount += prompt.Length;
            EndPrompt(start);
            _running = completion;
            return start;
        }
    }

    /// <summary>All tokens so far are read as a prompt, those from <paramref name="start"/> on for the first time.</summary>
    private void EndPrompt(int start)
    {
        _sequence.PromptLength = _tokenCount;
        if (start <= _given)
            _given = _tokenCount;
    }

    /// <summary>
    /// Keeps of what the cache has beyond the session's tokens those that the prompt begins with. Its last token is read in any case, for
    /// the logits after it.
    /// </summary>
    private void Recall(int start, ReadOnlySpan<int> prompt)
    {
        int held = Math.Clamp(_sequence.Length - start, 0, prompt.Length - 1);
        RestoredTokens = _tokens.AsSpan(start, held).CommonPrefixLength(prompt);
        if (_sequence.Length > start + RestoredTokens)
            _sequence.Truncate(start + RestoredTokens);
    }

    /// <summary>Tokens that were dropped from a full session, in all.</summary>
    internal int Dropped { get; private set; }

    /// <summary>
    /// Makes room in a full session: drops the older half of the tokens after the first <paramref name="keep"/>. The others are then the
    /// session's text, and those after the kept ones are read again, at their new positions: turning their keys instead would be cheaper and
    /// give bits that no text has.
    /// </summary>
    /// <returns>Whether there was something to drop.</returns>
    internal bool TryShift(int? keep)
    {
        if (keep is not { } kept || _tokenCount - kept < 2)
            return false;
        int dropped = (_tokenCount - kept) / 2;
        lock (Model.Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _tokens.AsSpan((kept + dropped).._tokenCount).CopyTo(_tokens.AsSpan(kept));
            _tokenCount -= dropped;
            Dropped += dropped;
            _sequence.Truncate(Math.Min(kept, _sequence.Length));
            EndPrompt(kept);
        }

        return true;
    }

    /// <summary>Lets the next completion run, without what this one has read ahead.</summary>
    internal void Leave(SessionCompletion completion)
    {
        if (ReferenceEquals(_running, completion) && _sequence.Length > _tokenCount)
            Forget(_tokenCount);
        lock (_lock)
        {
            if (ReferenceEquals(_running, completion))
                _running = null;
        }
    }

    /// <summary>Forgets the tokens from <paramref name="length"/> on, and their keys and values.</summary>
    internal void Forget(int length)
    {
        lock (Model.Gate)
        {
            if (_disposed)
                return;
            _tokenCount = length;
            _given = Math.Min(_given, length);
            _sequence.Truncate(Math.Min(length, _sequence.Length));
        }
    }

    /// <summary>
    /// Reads at most <paramref name="rows"/> of the tokens that are not in the cache yet; the caller holds the gate. True when none
    /// is left: then <paramref name="logits"/> are those after the last, if they were wanted.
    /// </summary>
    /// <param name="rows">Most tokens to read.</param>
    /// <param name="wantsLogits">Whether logits are wanted after the last.</param>
    /// <param name="outlivesDevice">Whether a device that fails may be left: what it held is then read again on the processor.</param>
    /// <param name="logits">The logits.</param>
    /// <exception cref="DeviceException">A device fails and is not to be left.</exception>
    internal bool Read(int rows, bool wantsLogits, bool outlivesDevice, out Logits logits)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_cache.IsOnDevices && !Model.UsesDevices)
            BringBack();
        ReadOnlySpan<int> unread = Tokens[_sequence.Length..];
        bool isLast = unread.Length <= rows;
        _batch.Clear();
        foreach (int id in unread[..Math.Min(rows, unread.Length)])
            _batch.Add(_sequence, id, wantsLogits && isLast && _batch.Count == unread.Length - 1);
        try
        {
            logits = Model.Forward(_batch);
            return isLast;
        }
        catch (DeviceException failed) when (outlivesDevice && Model.TryLeaveDevice(failed))
        {
            logits = default;
            return false;
        }
    }

    /// <summary>Takes a cache in memory in place of one that lay on a device, and forgets what that held.</summary>
    private void BringBack()
    {
        int prompt = _sequence.PromptLength;
        _sequence.Dispose();
        _cache.Dispose();
        _cache = Model.CreateCache(ContextLength);
        _sequence = _cache.CreateSequence();
        _sequence.PromptLength = prompt;
    }

    /// <summary>Whether the cache has all tokens: then the last one was read ahead, as a guess that came true.</summary>
    internal bool IsRead => _sequence.Length >= _tokenCount;

    /// <summary>
    /// Reads the last token and the guesses at those after it, for which there must be room; the caller holds the gate. The logits
    /// are those after each.
    /// </summary>
    internal Logits ReadAhead(ReadOnlySpan<int> draft)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        draft.CopyTo(_tokens.AsSpan(_tokenCount));
        _batch.Clear();
        foreach (int id in _tokens.AsSpan(_sequence.Length, 1 + draft.Length))
            _batch.Add(_sequence, id, wantsLogits: true);
        return Model.Forward(_batch);
    }

    /// <summary>
    /// Appends a sampled token; the caller holds the gate. If it was guessed it has been read, otherwise what was read beyond is forgotten
    /// and the token is read with the next step.
    /// </summary>
    internal void Append(int token)
    {
        if (_sequence.Length > _tokenCount && _tokens[_tokenCount] != token)
            _sequence.Truncate(_tokenCount);
        _tokens[_tokenCount++] = token;
    }

    private void RequireRoom(int prompt)
    {
        if (_tokenCount + prompt <= ContextLength)
            return;
        string held = _tokenCount == 0 ? "" : $" and the session holds {_tokenCount}";
        string remedy = ContextLength < Model.Info.ContextLength
            ? $"shorten it or open the session with a context of up to {Model.Info.ContextLength}"
            : "shorten it or use a model with a longer context";
        throw new InvalidRequestException($"The prompt has {prompt} tokens{held}, but the context is {ContextLength}; {remedy}.");
    }
}
