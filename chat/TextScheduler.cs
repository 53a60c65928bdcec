using Pure.Engine;
using Pure.Engine.Generation;

namespace Pure.Chat;

/// <summary>
/// Writes many texts at once, several times as fast together as one after the other, and each as it would be alone. Any thread may ask for one.
/// </summary>
/// <example>
/// <code>
/// using var model = LanguageModel.Load("model.gguf");
/// using var scheduler = model.CreateScheduler(new() { CachePositions = 32768, ContextLength = 4096 });
/// string[] answers = await Task.WhenAll(questions.Select(question => scheduler.GenerateAsync(question).ReadAsync()));
/// </code>
/// </example>
public sealed class TextScheduler : IDisposable
{
    private readonly LanguageModel _model;
    private readonly Scheduler _scheduler;

    internal TextScheduler(LanguageModel model, SchedulerOptions? options)
    {
        _model = model;
        _scheduler = new Scheduler(model.Model, options);
    }

    /// <summary>The model that writes.</summary>
    public LanguageModel Model => _model;

    /// <inheritdoc cref="Scheduler.ContextLength"/>
    public int ContextLength => _scheduler.ContextLength;

    /// <inheritdoc cref="Scheduler.Counts"/>
    public SchedulerCounts Counts => _scheduler.Counts;

    /// <summary>Continues a prompt. Writing begins at once, whether the text is read or not; leaving the loop that reads it ends it.</summary>
    /// <param name="prompt">The text to continue. Unpaired surrogates count as U+FFFD.</param>
    /// <param name="options">
    /// What to write and when to stop. The length of the context is the scheduler's; full contexts are not shifted, and guesses come from the text.
    /// </param>
    /// <param name="scope">Texts of different scopes share no computed beginnings, so that no one can tell from the time what another has sent.</param>
    /// <param name="cancellationToken">Ends it, with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="InvalidRequestException">The prompt has no tokens or does not fit the context, or an option is outside its range.</exception>
    /// <exception cref="QueueFullException">As many texts wait as may wait.</exception>
    public TextCompletion GenerateAsync(
        string prompt, TextOptions? options = null, string scope = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new TextOptions();
        return _model.Submit(
            _scheduler, _model.EncodePrompt(prompt, options.ParseSpecial), continuesText: prompt.Length > 0, options, scope, cancellationToken);
    }

    /// <summary>Continues a prompt that is given as token ids, which are taken as they are.</summary>
    /// <param name="promptTokens">The ids; <see cref="LanguageModel.EncodePrompt"/> makes them of a text.</param>
    /// <param name="options">What to write and when to stop.</param>
    /// <param name="scope">Texts of different scopes share no computed beginnings.</param>
    /// <param name="cancellationToken">Ends it, with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="InvalidRequestException">The prompt has no tokens or does not fit the context, or an option is outside its range.</exception>
    /// <exception cref="QueueFullException">As many texts wait as may wait.</exception>
    public TextCompletion GenerateAsync(
        IReadOnlyList<int> promptTokens, TextOptions? options = null, string scope = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(promptTokens);
        return _model.Submit(
            _scheduler, [.. promptTokens], _model.ContinuesText(promptTokens), options ?? new TextOptions(), scope, cancellationToken);
    }

    /// <summary>Ends all texts and frees the cache.</summary>
    public void Dispose() => _scheduler.Dispose();
}
