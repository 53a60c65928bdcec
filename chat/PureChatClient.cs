using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Pure.Chat.Templates;
using Pure.Engine;
using Pure.Engine.Generation;
using Pure.Engine.Generation.Grammars;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using Turn = Pure.Chat.Templates.ChatMessage;

namespace Pure.Chat;

/// <summary>
/// A model as Microsoft.Extensions.AI knows one, so that what is built on that works with it: messages become a prompt by the model's own chat
/// template, and all conversations are written together from one cache. Any thread may ask.
/// </summary>
/// <example>
/// <code>
/// using var model = LanguageModel.Load("model.gguf");
/// using IChatClient client = new PureChatClient(model);
/// Console.WriteLine(await client.GetResponseAsync("Why is the sky blue?"));
/// </code>
/// </example>
public sealed class PureChatClient : IChatClient
{
    private readonly LanguageModel _model;
    private readonly TextScheduler _scheduler;
    private readonly ModelTemplate _template;
    private readonly ChatClientMetadata _metadata;

    /// <summary>Starts answering with a model, which must outlive the client.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How many conversations at once, and in how much room.</param>
    /// <exception cref="InvalidRequestException">The model has no chat template, an option is outside its range, or the machine has not the memory.</exception>
    public PureChatClient(LanguageModel model, SchedulerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _template = ModelTemplate.Find(model) ?? throw new InvalidRequestException(
            $"{model.Model.File.Path} has no chat template (tokenizer.chat_template), so messages cannot be made a prompt; continue texts with the model itself.");
        _scheduler = model.CreateScheduler(options);
        _metadata = new ChatClientMetadata("pure", defaultModelId: model.Model.Info.Name);
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">A message holds more than text, or an option asks for what is not built, such as tools.</exception>
    /// <exception cref="InvalidRequestException">The messages do not fit the context, or an option is outside its range.</exception>
    /// <exception cref="QueueFullException">As many conversations wait as may wait.</exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        TextCompletion text = Begin(messages, options, cancellationToken);
        string written = await text.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, written))
        {
            ResponseId = NewId(),
            ModelId = _metadata.DefaultModelId,
            CreatedAt = DateTimeOffset.UtcNow,
            FinishReason = Reason(text),
            Usage = UsageOf(text),
        };
    }

    /// <inheritdoc/>
    /// <inheritdoc cref="GetResponseAsync" path="/exception"/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        TextCompletion text = Begin(messages, options, cancellationToken);
        string id = NewId();
        DateTimeOffset created = DateTimeOffset.UtcNow;
        await foreach (string piece in text.WithCancellation(cancellationToken).ConfigureAwait(false))
            yield return Update([new TextContent(piece)], null);
        yield return Update([new UsageContent(UsageOf(text))], Reason(text));

        ChatResponseUpdate Update(IList<AIContent> contents, ChatFinishReason? reason) => new(ChatRole.Assistant, contents)
        {
            ResponseId = id,
            MessageId = id,
            ModelId = _metadata.DefaultModelId,
            CreatedAt = created,
            FinishReason = reason,
        };
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType == typeof(LanguageModel) ? _model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Ends all conversations that are being written, and frees the cache. The model stays.</summary>
    public void Dispose() => _scheduler.Dispose();

    private TextCompletion Begin(
        IEnumerable<ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(messages);
        Refuse(options);
        List<Turn> turns = [];
        if (options?.Instructions is { Length: > 0 } instructions)
            turns.Add(new Turn("system", instructions));
        turns.AddRange(messages.Select(message => new Turn(message.Role.Value, TextOf(message))));
        if (turns.Count == 0)
            throw new InvalidRequestException("The conversation has no messages; give at least one.");
        return _scheduler.GenerateAsync(_template.Render(turns), Translate(options), cancellationToken: cancellationToken);
    }

    private static void Refuse(ChatOptions? options)
    {
        if (options?.Tools is { Count: > 0 })
            throw new NotSupportedException("Tools are not supported yet; leave ChatOptions.Tools empty.");
    }

    private static TextOptions Translate(ChatOptions? options) => new()
    {
        MaxTokens = options?.MaxOutputTokens,
        Temperature = options?.Temperature,
        TopK = options?.TopK,
        TopP = options?.TopP,
        FrequencyPenalty = options?.FrequencyPenalty ?? 0,
        PresencePenalty = options?.PresencePenalty ?? 0,
        Seed = options?.Seed is { } seed ? unchecked((ulong)seed) : null,
        Stop = options?.StopSequences is { } stops ? [.. stops] : [],
        Grammar = options?.ResponseFormat is not ChatResponseFormatJson json ? null
            : json.Schema is { } schema ? Grammar.FromJsonSchema(schema)
            : Grammar.JsonObject,
    };

    private static string TextOf(ChatMessage message) =>
        message.Contents.FirstOrDefault(content => content is not (TextContent or TextReasoningContent or UsageContent)) is { } other
            ? throw new NotSupportedException($"A message holds {other.GetType().Name}; only text is supported yet.")
            : message.Text;

    private static ChatFinishReason Reason(TextCompletion text) =>
        text.StopReason is StopReason.MaxTokens or StopReason.ContextFull ? ChatFinishReason.Length : ChatFinishReason.Stop;

    private static UsageDetails UsageOf(TextCompletion text) => new()
    {
        InputTokenCount = text.PromptTokens.Count,
        OutputTokenCount = text.Timings.GeneratedTokens,
        TotalTokenCount = text.PromptTokens.Count + text.Timings.GeneratedTokens,
        CachedInputTokenCount = text.CachedTokens,
    };

    private static string NewId() => $"chatcmpl-{Guid.NewGuid():N}";
}
