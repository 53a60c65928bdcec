using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Pure.Chat;
using Pure.Engine.Generation;
using Pure.Tokenizers;

namespace Pure.Serve.Http;

/// <summary>The answer of <c>/v1/chat/completions</c> as one body.</summary>
internal sealed class ChatWhole(HttpContext http, TextRequest request) : Answer
{
    private readonly (StringBuilder Text, List<ChatLogprob> Logprobs, string Finish)[] _choices =
        [.. Enumerable.Range(0, request.Choices).Select(_ => (new StringBuilder(), new List<ChatLogprob>(), ""))];

    internal override ValueTask PutAsync(int index, TextPiece piece, CancellationToken cancellation)
    {
        _choices[index].Text.Append(piece.Text);
        if (piece.Token is { LogProbability: not null } token)
            _choices[index].Logprobs.Add(ChatLogprob.Of(request.Model.Model.Tokenizer, token));
        return default;
    }

    internal override ValueTask EndAsync(int index, string finishReason, CancellationToken cancellation)
    {
        _choices[index].Finish = finishReason;
        return default;
    }

    internal override Task FinishAsync(Usage usage, CancellationToken cancellation)
    {
        bool hasLogprobs = request.Options.TopLogProbabilities is not null;
        ChatChoice[] choices =
        [
            .. _choices.Select((choice, index) => new ChatChoice(
                index, new ChatAnswerMessage("assistant", $"{choice.Text}"), hasLogprobs ? new ChatLogprobs(choice.Logprobs) : null, choice.Finish)),
        ];
        var body = new ChatCompletionBody($"chatcmpl-{ApiCall.Of(http).Id}", "chat.completion", Created, request.Model.Id, choices, usage);
        return HttpJson.WriteAsync(http.Response, body, HttpJson.Readable.ChatCompletionBody);
    }
}

/// <summary>The answer of <c>/v1/chat/completions</c> as events.</summary>
internal sealed class ChatStream(HttpContext http, TextRequest request, AnswerForm form) : Answer
{
    private readonly EventStream _events = AnswerForm.OpenEvents(http);

    internal override ValueTask BeginAsync(int index, CancellationToken cancellation) =>
        SendAsync(new ChatChunkChoice(index, new ChatDelta("assistant", ""), null, null), cancellation);

    internal override ValueTask PutAsync(int index, TextPiece piece, CancellationToken cancellation)
    {
        ChatLogprobs? logprobs = piece.Token is { LogProbability: not null } token
            ? new ChatLogprobs([ChatLogprob.Of(request.Model.Model.Tokenizer, token)])
            : null;
        return piece.Text.Length == 0 && logprobs is null
            ? default
            : SendAsync(new ChatChunkChoice(index, new ChatDelta(null, piece.Text), logprobs, null), cancellation);
    }

    internal override ValueTask EndAsync(int index, string finishReason, CancellationToken cancellation) =>
        SendAsync(new ChatChunkChoice(index, new ChatDelta(null, null), null, finishReason), cancellation);

    internal override async Task FinishAsync(Usage usage, CancellationToken cancellation)
    {
        if (form.IncludesUsage)
            await _events.SendAsync(Chunk([], usage), HttpJson.Readable.ChatChunk, cancellation);
        await _events.CompleteAsync(cancellation);
    }

    private ValueTask SendAsync(ChatChunkChoice choice, CancellationToken cancellation) =>
        _events.SendAsync(Chunk([choice], null), HttpJson.Readable.ChatChunk, cancellation);

    private ChatChunk Chunk(IReadOnlyList<ChatChunkChoice> choices, Usage? usage) =>
        new($"chatcmpl-{ApiCall.Of(http).Id}", "chat.completion.chunk", Created, request.Model.Id, choices, usage);
}

/// <summary>OpenAI's <c>chat.completion</c>.</summary>
internal sealed record ChatCompletionBody(string Id, string Object, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage);

/// <summary>One of its choices.</summary>
internal sealed record ChatChoice(
    int Index,
    ChatAnswerMessage Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] ChatLogprobs? Logprobs,
    string FinishReason);

/// <summary>What the model says.</summary>
internal sealed record ChatAnswerMessage(string Role, string Content);

/// <summary>OpenAI's <c>chat.completion.chunk</c>; the one with the usage has no choices.</summary>
internal sealed record ChatChunk(string Id, string Object, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices, Usage? Usage);

/// <summary>What is new of a choice.</summary>
internal sealed record ChatChunkChoice(
    int Index,
    ChatDelta Delta,
    ChatLogprobs? Logprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

/// <summary>What is new of a message.</summary>
internal sealed record ChatDelta(string? Role, string? Content);

/// <summary>Log-probabilities, token by token.</summary>
internal sealed record ChatLogprobs(IReadOnlyList<ChatLogprob> Content);

/// <summary>A token, how probable the model found it, and what it found most probable there.</summary>
/// <param name="Token">Its text; U+FFFD for what is no whole character.</param>
/// <param name="Logprob">Natural logarithm of its probability.</param>
/// <param name="Bytes">Its bytes, of which texts can be put together.</param>
/// <param name="TopLogprobs">The most probable tokens; null in one of them.</param>
internal sealed record ChatLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<ChatLogprob>? TopLogprobs)
{
    private const double Least = -9999; // JSON has no infinity

    internal static ChatLogprob Of(Tokenizer tokenizer, GeneratedToken token)
    {
        var top = new List<ChatLogprob>(token.Alternatives.Length);
        foreach (TokenLogProbability alternative in token.Alternatives.Span)
            top.Add(Of(tokenizer, alternative.Id, alternative.LogProbability, null));
        return Of(tokenizer, token.Id, token.LogProbability!.Value, top);
    }

    /// <summary>A logarithm that JSON can hold.</summary>
    internal static double Finite(double logarithm) => Math.Max(logarithm, Least);

    private static ChatLogprob Of(Tokenizer tokenizer, int id, double logarithm, List<ChatLogprob>? top)
    {
        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
        var numbers = new int[bytes.Length];
        for (int at = 0; at < numbers.Length; at++)
            numbers[at] = bytes[at];
        return new ChatLogprob(Encoding.UTF8.GetString(bytes), Finite(logarithm), numbers, top);
    }
}
