using System.Text;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Pure.Chat;
using Pure.Engine.Generation;
using Pure.Tokenizers;

namespace Pure.Serve.Http;

/// <summary>The answer of <c>/v1/completions</c> as one body.</summary>
/// <param name="http">Where it goes.</param>
/// <param name="request">The texts.</param>
/// <param name="echo">The prompts, to go before what continues them; or nothing.</param>
internal sealed class CompletionWhole(HttpContext http, TextRequest request, string[] echo) : Answer
{
    private readonly (StringBuilder Text, CompletionLogprobs? Logprobs, string Finish)[] _choices =
    [
        .. Enumerable.Range(0, request.Prompts * request.Choices)
            .Select(index => (new StringBuilder(EchoOf(index, request, echo)), CompletionLogprobs.For(request), "")),
    ];

    internal override ValueTask PutAsync(int index, TextPiece piece, CancellationToken cancellation)
    {
        _choices[index].Text.Append(piece.Text);
        if (piece.Token is { } token)
            _choices[index].Logprobs?.Add(token);
        return default;
    }

    internal override ValueTask EndAsync(int index, string finishReason, CancellationToken cancellation)
    {
        _choices[index].Finish = finishReason;
        return default;
    }

    internal override Task FinishAsync(Usage usage, CancellationToken cancellation)
    {
        CompletionChoice[] choices =
            [.. _choices.Select((choice, index) => new CompletionChoice(index, $"{choice.Text}", choice.Logprobs, choice.Finish))];
        var body = new CompletionBody($"cmpl-{ApiCall.Of(http).Id}", "text_completion", Created, request.Model.Id, choices, usage);
        return HttpJson.WriteAsync(http.Response, body, HttpJson.Readable.CompletionBody);
    }

    internal static string EchoOf(int index, TextRequest request, string[] echo) => echo.Length == 0 ? "" : echo[index / request.Choices];
}

/// <summary>The answer of <c>/v1/completions</c> as events.</summary>
/// <param name="http">Where they go.</param>
/// <param name="request">The texts.</param>
/// <param name="echo">The prompts, to go before what continues them; or nothing.</param>
/// <param name="form">What the events tell.</param>
internal sealed class CompletionStream(HttpContext http, TextRequest request, string[] echo, AnswerForm form) : Answer
{
    private readonly EventStream _events = AnswerForm.OpenEvents(http);
    private readonly CompletionLogprobs?[] _logprobs =
        [.. Enumerable.Range(0, request.Prompts * request.Choices).Select(_ => CompletionLogprobs.For(request))];

    internal override ValueTask BeginAsync(int index, CancellationToken cancellation) =>
        CompletionWhole.EchoOf(index, request, echo) is { Length: > 0 } prompt
            ? SendAsync(new CompletionChoice(index, prompt, null, null), cancellation)
            : default;

    internal override ValueTask PutAsync(int index, TextPiece piece, CancellationToken cancellation)
    {
        CompletionLogprobs? logprobs = _logprobs[index];
        if (logprobs is not null && piece.Token is { } token)
        {
            logprobs.Clear();
            logprobs.Add(token);
        }
        else
        {
            logprobs = null;
        }

        return piece.Text.Length == 0 && logprobs is null
            ? default
            : SendAsync(new CompletionChoice(index, piece.Text, logprobs, null), cancellation);
    }

    internal override ValueTask EndAsync(int index, string finishReason, CancellationToken cancellation) =>
        SendAsync(new CompletionChoice(index, "", null, finishReason), cancellation);

    internal override async Task FinishAsync(Usage usage, CancellationToken cancellation)
    {
        if (form.IncludesUsage)
            await _events.SendAsync(Body([], usage), HttpJson.Readable.CompletionBody, cancellation);
        await _events.CompleteAsync(cancellation);
    }

    private ValueTask SendAsync(CompletionChoice choice, CancellationToken cancellation) =>
        _events.SendAsync(Body([choice], null), HttpJson.Readable.CompletionBody, cancellation);

    private CompletionBody Body(IReadOnlyList<CompletionChoice> choices, Usage? usage) =>
        new($"cmpl-{ApiCall.Of(http).Id}", "text_completion", Created, request.Model.Id, choices, usage);
}

/// <summary>OpenAI's <c>text_completion</c>, whole or an event.</summary>
internal sealed record CompletionBody(string Id, string Object, long Created, string Model, IReadOnlyList<CompletionChoice> Choices, Usage? Usage);

/// <summary>One of its choices, or what is new of it.</summary>
internal sealed record CompletionChoice(
    int Index,
    string Text,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] CompletionLogprobs? Logprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

/// <summary>Log-probabilities in this endpoint's form: lists beside one another, one entry a token.</summary>
internal sealed class CompletionLogprobs
{
    private readonly Tokenizer _tokenizer;
    private readonly StreamingDecoder _decoder;
    private readonly List<string> _tokens = [];
    private readonly List<double> _tokenLogprobs = [];
    private readonly List<Dictionary<string, double>> _topLogprobs = [];
    private readonly List<int> _textOffset = [];
    private int _length;

    private CompletionLogprobs(Tokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        _decoder = new StreamingDecoder(tokenizer, renderSpecial: true, continuesText: true);
    }

    /// <summary>The tokens; one that is no whole character is <c>bytes:</c> and its bytes.</summary>
    public IReadOnlyList<string> Tokens => _tokens;

    /// <summary>Natural logarithms of their probabilities.</summary>
    public IReadOnlyList<double> TokenLogprobs => _tokenLogprobs;

    /// <summary>For each, the most probable tokens there and itself.</summary>
    public IReadOnlyList<Dictionary<string, double>> TopLogprobs => _topLogprobs;

    /// <summary>Where in the text each begins, in UTF-16 units.</summary>
    public IReadOnlyList<int> TextOffset => _textOffset;

    /// <summary>Empty ones for a text of a request; null if it wants none.</summary>
    internal static CompletionLogprobs? For(TextRequest request) =>
        request.Options.TopLogProbabilities is null ? null : new CompletionLogprobs(request.Model.Model.Tokenizer);

    internal void Add(GeneratedToken token)
    {
        string name = Name(token.Id);
        double logarithm = ChatLogprob.Finite(token.LogProbability!.Value);
        var top = new Dictionary<string, double>();
        foreach (TokenLogProbability alternative in token.Alternatives.Span)
            top.TryAdd(Name(alternative.Id), ChatLogprob.Finite(alternative.LogProbability));
        top.TryAdd(name, logarithm);
        _tokens.Add(name);
        _tokenLogprobs.Add(logarithm);
        _topLogprobs.Add(top);
        _textOffset.Add(_length);
        _length += _decoder.Append(token.Id).Length;
    }

    /// <summary>Forgets the tokens so far; the next one goes on in the text.</summary>
    internal void Clear()
    {
        _tokens.Clear();
        _tokenLogprobs.Clear();
        _topLogprobs.Clear();
        _textOffset.Clear();
    }

    private string Name(int id)
    {
        ReadOnlySpan<byte> bytes = _tokenizer.TokenBytes(id);
        if (Utf8.IsValid(bytes))
            return Encoding.UTF8.GetString(bytes);
        var name = new StringBuilder("bytes:");
        foreach (byte unit in bytes)
            name.Append($"\\x{unit:x2}");
        return name.ToString();
    }
}
