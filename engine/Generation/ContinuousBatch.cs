using Pure.Engine.Devices;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Generation;

/// <summary>
/// The texts that a <see cref="Scheduler"/> writes now, and their cache. What a pass reads is planned anew each time: a token of every text that
/// is written, then prompts in the order in which they came. One user at a time.
/// </summary>
internal sealed class ContinuousBatch : IDisposable
{
    private const int FewestShared = 16; // tokens for which a block is copied, or a pass waited for

    private readonly Model _model;
    private readonly int _positions;
    private readonly int _contextLength;
    private readonly int _promptChunk;
    private readonly bool _sharesPrefixes;
    private readonly Action<ScheduledCompletion> _displaced;
    private readonly Batch _batch;
    private readonly List<ScheduledCompletion> _running = []; // in the order in which they came
    private readonly List<ScheduledCompletion> _planned = []; // those with rows in the batch, in their order
    private KvCache _cache;
    private PrefixTree _prefixes;
    private int _promised; // blocks that rows of the batch will take
    private long _steps;
    private long _promptTokens;
    private long _cachedTokens;
    private long _generatedTokens;
    private long _preemptions;

    /// <param name="model">The model; the caller holds its gate.</param>
    /// <param name="positions">Positions of the cache.</param>
    /// <param name="contextLength">Most tokens of a text.</param>
    /// <param name="options">How prompts are cut and shared.</param>
    /// <param name="displaced">Takes a text that lost its room and is to be admitted again.</param>
    internal ContinuousBatch(
        Model model, int positions, int contextLength, SchedulerOptions options, Action<ScheduledCompletion> displaced)
    {
        _model = model;
        _positions = positions;
        _contextLength = contextLength;
        _promptChunk = options.PromptChunk;
        _sharesPrefixes = options.SharePrefixes;
        _displaced = displaced;
        _batch = new Batch(model.Options.MaxBatchRows);
        _cache = model.CreateCache(positions);
        _prefixes = new PrefixTree(_cache);
    }

    /// <summary>Texts that are read or written.</summary>
    internal int Count => _running.Count;

    /// <summary>What it does now, and did so far.</summary>
    internal SchedulerCounts Counts => new(
        _running.Count,
        Waiting: 0,
        _cache.Blocks,
        _cache.Blocks - _cache.FreeBlocks - _cache.KeptBlocks,
        _cache.KeptBlocks,
        _steps,
        _promptTokens,
        _cachedTokens,
        _generatedTokens,
        _preemptions);

    // Where prompts are read in a form of their own, what was written is no beginning of a prompt.
    private bool ReadsPromptsApart => _model.Options.Mla == LatentForm.Expanded;

    /// <summary>Whether a text has room to be read besides those that are.</summary>
    internal bool HasRoom(ScheduledCompletion text)
    {
        int room = _cache.FreeBlocks + _cache.KeptBlocks - _running.Sum(other => other.Sequence!.BlocksToReach(other.Tokens.Length));
        int needed = KvCache.BlocksOf(text.Tokens.Length + 1) - _prefixes.HeldBlocks(text.Scope, text.Tokens);
        return _running.Count == 0 || needed <= room;
    }

    /// <summary>Adds a text to those that run.</summary>
    internal void Join(ScheduledCompletion text)
    {
        Open(text);
        _running.Add(text);
    }

    /// <summary>Ends the texts that nobody waits for any more.</summary>
    internal void DropCancelled()
    {
        foreach (ScheduledCompletion text in _running)
        {
            if (text.IsCancelled)
                End(text, FinishReason.Cancelled);
        }

        Leave();
    }

    /// <summary>One forward pass; false where there is nothing to compute.</summary>
    internal bool Step()
    {
        Plan();
        if (_batch.Count == 0)
            return false;
        try
        {
            Advance(_model.Forward(_batch));
        }
        catch (DeviceException failed) when (_model.TryLeaveDevice(failed))
        {
            StartAgain();
        }
        catch (Exception failed)
        {
            // What a pass fails with is in no single row of it: a damaged layer, a lost device.
            foreach (ScheduledCompletion text in _planned)
                End(text, failed);
        }

        Leave();
        return true;
    }

    /// <summary>Ends all texts with what they failed with.</summary>
    internal void Fail(Exception failed)
    {
        foreach (ScheduledCompletion text in _running)
            End(text, failed);
        Leave();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _prefixes.Dispose();
        _cache.Dispose();
    }

    private void Leave() => _running.RemoveAll(text => text.HasEnded);

    private void Open(ScheduledCompletion text)
    {
        text.Sequence = _cache.CreateSequence();
        text.Sequence.PromptLength = text.PromptLength;
        text.Node = _prefixes.Root(text.Scope);
        text.Blocks = 0;
        text.DropGuesses(); // those of a pass that failed with its device
        if (text.IsPrompt)
            text.TookOver(0);
    }

    /// <summary>Fills the batch: a row of every text that is written, then parts of prompts.</summary>
    private void Plan()
    {
        _batch.Clear();
        _planned.Clear();
        _promised = 0;
        foreach (ScheduledCompletion text in _running)
            text.Planned = 0;

        // A text that gives up its room leaves the list, and is always one after those that were looked at.
        for (int index = 0; index < _running.Count; index++)
        {
            ScheduledCompletion text = _running[index];
            if (text.Unread != 1 || _batch.Count == _batch.Capacity)
                continue;
            text.Guess(_batch.Capacity - _batch.Count - (_running.Count - index), _contextLength);
            if (text.Guesses > 0 && TryPromise(text, 1 + text.Guesses, displaces: false))
            {
                Add(text, 1);
                continue;
            }

            text.DropGuesses();
            if (TryPromise(text, 1, displaces: true))
                Add(text, 1);
        }

        int left = _batch.Capacity - _batch.Count;
        if (_batch.Count > 0)
            left = Math.Min(left, _promptChunk);
        for (int index = 0; index < _running.Count && left > 0; index++)
        {
            ScheduledCompletion text = _running[index];
            if (text.Planned > 0 || text.Unread < 2)
                continue;
            TakeOver(text);
            int rows = Math.Min(left, text.Unread);
            if (IsAboutToBeRead(text))
                continue;
            if (!TryPromise(text, rows, displaces: _batch.Count == 0))
                return;
            Add(text, rows);
            left -= rows;
        }
    }

    private void Add(ScheduledCompletion text, int rows)
    {
        int first = text.Sequence!.Length;
        bool isLast = rows == text.Unread;
        for (int row = 0; row < rows; row++)
            _batch.Add(text.Sequence, text.Tokens[first + row], wantsLogits: isLast && text.WantsTokens && row == rows - 1);
        foreach (int guess in text.Draft)
            _batch.Add(text.Sequence, guess, wantsLogits: true);
        text.Planned = rows;
        _planned.Add(text);
    }

    /// <summary>
    /// Keeps blocks for rows of a text. Where there are none, kept ones are given up, then texts that came later and are not in the batch lose
    /// their room, if that is allowed.
    /// </summary>
    private bool TryPromise(ScheduledCompletion text, int rows, bool displaces)
    {
        int needed = text.Sequence!.BlocksToReach(text.Sequence.Length + rows);
        while (_cache.FreeBlocks - _promised < needed)
        {
            if (_prefixes.TryGiveUp())
                continue;
            ScheduledCompletion last = _running[^1];
            if (!displaces || last == text || last.Planned > 0)
                return false;
            _running.RemoveAt(_running.Count - 1);
            Free(last);
            _preemptions++;
            _displaced(last);
        }

        _promised += needed;
        return true;
    }

    /// <summary>Takes over what others have read of the same tokens: full blocks that are kept, then the past of a running text.</summary>
    private void TakeOver(ScheduledCompletion text)
    {
        if (!_sharesPrefixes)
            return;
        Sequence sequence = text.Sequence!;
        int before = sequence.Length;
        int most = MostShared(text);
        while (sequence.Length == text.Blocks * KvCache.BlockPositions && sequence.Length + KvCache.BlockPositions <= most
            && _prefixes.Find(text.Node, text.Tokens.Slice(sequence.Length, KvCache.BlockPositions)) is { } node)
        {
            sequence.Adopt(node.Block);
            text.Node = node;
            text.Blocks++;
        }

        foreach (ScheduledCompletion other in _running)
        {
            int shared = SharedWith(other, text, other.Sequence!.Length);
            if (shared < text.Sequence!.Length + FewestShared)
                continue;
            Sequence fork = other.Sequence.Fork();
            fork.Truncate(shared);
            fork.PromptLength = text.PromptLength;
            text.Sequence.Dispose();
            text.Sequence = fork;
            text.Blocks = Math.Min(shared / KvCache.BlockPositions, other.Blocks);
            text.Node = other.Node.Above(other.Blocks - text.Blocks);
        }

        if (text.IsPrompt)
            text.TookOver(text.CachedTokens + text.Sequence!.Length - before);
    }

    /// <summary>Whether another text's rows in the batch are what this one would read: then it waits for them.</summary>
    private bool IsAboutToBeRead(ScheduledCompletion text)
    {
        if (!_sharesPrefixes)
            return false;
        foreach (ScheduledCompletion other in _planned)
        {
            if (SharedWith(other, text, other.Sequence!.Length + other.Planned) >= text.Sequence!.Length + FewestShared)
                return true;
        }

        return false;
    }

    /// <summary>How many of the first tokens are the same in two texts of a scope, of those that another reads, and that may be taken over.</summary>
    private int SharedWith(ScheduledCompletion other, ScheduledCompletion text, int read)
    {
        if (other == text || other.Scope != text.Scope)
            return 0;
        int most = Math.Min(Math.Min(read, MostShared(text)), ReadsPromptsApart ? other.PromptLength : int.MaxValue);
        return most <= text.Sequence!.Length ? 0 : text.Tokens[..most].CommonPrefixLength(other.Tokens);
    }

    /// <summary>The last token is read in any case, for the logits after it. What is read in a form of its own must be so in both.</summary>
    private int MostShared(ScheduledCompletion text) => Math.Min(text.Tokens.Length - 1, ReadsPromptsApart ? text.PromptLength : int.MaxValue);

    private void Advance(Logits logits)
    {
        int row = 0;
        foreach (ScheduledCompletion text in _planned)
        {
            bool isPrompt = text.IsPrompt;
            int wanted = text.WantsTokens ? 1 + text.Guesses : 0;
            _promptTokens += isPrompt ? text.Planned : 0;
            if (text.Unread > 0)
            {
                Keep(text);
                continue;
            }

            _cachedTokens += isPrompt ? text.CachedTokens : 0;
            Choose(text, logits, row);
            row += wanted;
        }

        _steps++;
    }

    private void Choose(ScheduledCompletion text, Logits logits, int row)
    {
        int before = text.Tokens.Length;
        FinishReason? reason;
        try
        {
            reason = text.WantsTokens ? text.Choose(logits, row, _contextLength) : FinishReason.MaxTokens;
        }
        catch (Exception failed)
        {
            // Its own options' fault, such as a bias that bans every token; others go on.
            End(text, failed);
            return;
        }

        _generatedTokens += text.Tokens.Length - before;
        Keep(text);
        if (reason is { } ended)
            End(text, ended);
    }

    /// <summary>Keeps the full blocks of a text for others; where one is kept already, the text goes on with that.</summary>
    private void Keep(ScheduledCompletion text)
    {
        Sequence sequence = text.Sequence!;
        int length = ReadsPromptsApart ? Math.Min(sequence.Length, text.PromptLength) : sequence.Length;
        while (_sharesPrefixes && (text.Blocks + 1) * KvCache.BlockPositions <= length)
        {
            int block = sequence.Block(text.Blocks);
            ReadOnlySpan<int> tokens = text.Tokens.Slice(text.Blocks * KvCache.BlockPositions, KvCache.BlockPositions);
            if (_prefixes.FindOrAdd(text.Node, tokens, block) is not { } node)
                return;
            if (node.Block != block)
                sequence.Replace(text.Blocks, node.Block);
            text.Node = node;
            text.Blocks++;
        }
    }

    /// <summary>Makes the cache anew after a device was left, and has all texts read again.</summary>
    private void StartAgain()
    {
        foreach (ScheduledCompletion text in _running)
            Free(text);
        _prefixes.Dispose();
        _cache.Dispose();
        _cache = _model.CreateCache(_positions);
        _prefixes = new PrefixTree(_cache);
        foreach (ScheduledCompletion text in _running)
            Open(text);
    }

    private static void End(ScheduledCompletion text, FinishReason reason)
    {
        Free(text);
        text.End(reason);
    }

    private static void End(ScheduledCompletion text, Exception failed)
    {
        Free(text);
        text.Fail(failed);
    }

    private static void Free(ScheduledCompletion text)
    {
        text.Sequence?.Dispose();
        text.Sequence = null;
    }
}
