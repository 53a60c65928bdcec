namespace Pure.Engine.Generation;

/// <summary>How many texts a <see cref="Scheduler"/> writes at once, and in how much room.</summary>
public sealed record SchedulerOptions
{
    /// <summary>Positions of all texts together in the cache; <see langword="null"/> for one text as long as <see cref="ContextLength"/>.</summary>
    public int? CachePositions { get; init; }

    /// <summary>Most tokens of one text, prompt included; <see langword="null"/> for all that the model was trained for and the cache holds.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Most texts that are written at once, at most the rows of a batch.</summary>
    public int MaxRunning { get; init; } = 64;

    /// <summary>Most texts that wait for that.</summary>
    public int MaxWaiting { get; init; } = 1024;

    /// <summary>
    /// Most tokens of prompts in a batch while other texts are written, which wait so long for their next token. Where none is, a batch is as
    /// large as the model's.
    /// </summary>
    public int PromptChunk { get; init; } = 128;

    /// <summary>Whether the keys and values of equal beginnings are computed once and kept for later texts while there is room.</summary>
    public bool SharePrefixes { get; init; } = true;
}

/// <summary>What a <see cref="Scheduler"/> does now, and did since it was made.</summary>
/// <param name="Running">Texts that are read or written.</param>
/// <param name="Waiting">Texts that wait for room.</param>
/// <param name="CacheBlocks">Blocks of the cache.</param>
/// <param name="HeldBlocks">Those of them that running texts hold.</param>
/// <param name="KeptBlocks">Those of them that are kept for later texts alone, and given up where room is short.</param>
/// <param name="Steps">Forward passes.</param>
/// <param name="PromptTokens">Tokens of prompts that were read.</param>
/// <param name="CachedTokens">Tokens of prompts that needed no reading.</param>
/// <param name="GeneratedTokens">Tokens chosen.</param>
/// <param name="Preemptions">How often a text lost its room and was read again later.</param>
public readonly record struct SchedulerCounts(
    int Running,
    int Waiting,
    int CacheBlocks,
    int HeldBlocks,
    int KeptBlocks,
    long Steps,
    long PromptTokens,
    long CachedTokens,
    long GeneratedTokens,
    long Preemptions);

/// <summary>As many texts wait as may wait; the message is one sentence.</summary>
public sealed class QueueFullException(string message) : Exception(message);
