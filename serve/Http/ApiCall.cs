using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Pure.Serve.Http;

/// <summary>One request on its way through the server: its id, and what is counted and timed of it.</summary>
internal sealed class ApiCall
{
    private const string IdHeader = "x-request-id";
    private const int LongestId = 128;
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _firstToken;
    private int _completionTokens;
    private int _cachedTokens;

    private ApiCall(string id) => Id = id;

    /// <summary>What the client calls the request, or a new name.</summary>
    internal string Id { get; }

    /// <summary>Tokens of its prompts.</summary>
    internal int PromptTokens { get; set; }

    /// <summary>Tokens written for it.</summary>
    internal int CompletionTokens => _completionTokens;

    /// <summary>Tokens of its prompts that were read before.</summary>
    internal int CachedTokens => _cachedTokens;

    /// <summary>Whose it is: its texts share computed beginnings with those of the same scope only.</summary>
    internal string Scope { get; set; } = "";

    /// <summary>The events that are being sent; null if the answer is one body, or has not begun.</summary>
    internal EventStream? Events { get; set; }

    /// <summary>Time since the request came.</summary>
    internal TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    /// <summary>Time from the request to the first token; null before it.</summary>
    internal TimeSpan? ToFirstToken => _firstToken == 0 ? null : Stopwatch.GetElapsedTime(_started, _firstToken);

    /// <summary>The call that a request is.</summary>
    internal static ApiCall Of(HttpContext http) => http.Features.GetRequiredFeature<ApiCall>();

    /// <summary>Begins the call: from here on <see cref="Of"/> finds it, and the response has its id.</summary>
    internal static ApiCall Begin(HttpContext http)
    {
        string given = http.Request.Headers[IdHeader].ToString();
        bool isGood = given.Length is > 0 and <= LongestId
            && given.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or ':');
        var call = new ApiCall(isGood ? given : $"req-{Guid.NewGuid():N}");
        http.Features.Set(call);
        http.Response.Headers[IdHeader] = call.Id;
        return call;
    }

    internal void AddCached(int tokens) => Interlocked.Add(ref _cachedTokens, tokens);

    internal void CountToken()
    {
        Interlocked.CompareExchange(ref _firstToken, Stopwatch.GetTimestamp(), 0);
        Interlocked.Increment(ref _completionTokens);
    }
}
