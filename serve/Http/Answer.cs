using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Pure.Chat;

namespace Pure.Serve.Http;

/// <summary>
/// How the texts of a request go out: as one body at the end, or as events while they are written. The texts come at once; those of one
/// index one after another.
/// </summary>
internal abstract class Answer
{
    /// <summary>Unix time of the answer.</summary>
    protected long Created { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>A text begins.</summary>
    internal virtual ValueTask BeginAsync(int index, CancellationToken cancellation) => default;

    /// <summary>A text has one token more.</summary>
    internal abstract ValueTask PutAsync(int index, TextPiece piece, CancellationToken cancellation);

    /// <summary>A text has ended, because it was done (<c>stop</c>) or at a limit (<c>length</c>).</summary>
    internal abstract ValueTask EndAsync(int index, string finishReason, CancellationToken cancellation);

    /// <summary>All texts have ended.</summary>
    internal abstract Task FinishAsync(Usage usage, CancellationToken cancellation);
}

/// <summary>Tokens that a request took.</summary>
internal sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails)
{
    /// <summary>What a call took.</summary>
    internal static Usage Of(ApiCall call) => new(
        call.PromptTokens, call.CompletionTokens, call.PromptTokens + call.CompletionTokens, new PromptTokensDetails(call.CachedTokens));
}

/// <summary>How many of the prompts' tokens were not read, because earlier texts began alike; those of further choices included.</summary>
internal sealed record PromptTokensDetails(int CachedTokens);

/// <summary>What a request says about the form of its answer.</summary>
/// <param name="Streams">Whether it comes in events.</param>
/// <param name="IncludesUsage">Whether the last event is to tell the usage.</param>
internal readonly record struct AnswerForm(bool Streams, bool IncludesUsage)
{
    internal static AnswerForm Read(JsonFields fields)
    {
        bool streams = fields.Switch("stream") ?? false;
        if (fields.Find("stream_options") is not { } json)
            return new AnswerForm(streams, false);
        if (json.ValueKind != JsonValueKind.Object)
            throw JsonFields.WrongType(json, "stream_options", "an object");
        return new AnswerForm(streams, new JsonFields(json, "stream_options.").Switch("include_usage") ?? false);
    }

    /// <summary>Opens the events of a call.</summary>
    internal static EventStream OpenEvents(HttpContext http)
    {
        var events = new EventStream(http.Response);
        http.Response.RegisterForDispose(events);
        ApiCall.Of(http).Events = events;
        return events;
    }
}
