using System.Globalization;
using System.Text;

namespace Pure.Serve.Http;

/// <summary>
/// One line for each request, as <c>name=value</c> pairs. No text of a prompt or an answer is in it, nor a path that a client made up.
/// </summary>
internal sealed class RequestLog(TextWriter writer)
{
    private readonly Lock _lock = new();

    /// <summary>Says how a request ended.</summary>
    /// <param name="call">The request.</param>
    /// <param name="method">Its method.</param>
    /// <param name="route">The path's pattern; null if there is none.</param>
    /// <param name="status">The status that was sent; 499 if the client went away before.</param>
    /// <param name="failure">What failed, where the request does not explain it.</param>
    internal void Write(ApiCall call, string method, string? route, int status, Exception? failure)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"time={DateTime.UtcNow:yyyy-MM-ddTHH:mm:ss.fffZ} request={call.Id}");
        line.Append(CultureInfo.InvariantCulture, $" method={Word(method)} route={route ?? "-"} status={status}");
        if (call.PromptTokens > 0)
            line.Append(CultureInfo.InvariantCulture, $" prompt_tokens={call.PromptTokens} completion_tokens={call.CompletionTokens}");
        if (call.ToFirstToken is { } first)
            line.Append(CultureInfo.InvariantCulture, $" first_token_ms={first.TotalMilliseconds:F1}");
        line.Append(CultureInfo.InvariantCulture, $" duration_ms={call.Elapsed.TotalMilliseconds:F1}");
        if (failure is not null)
            line.Append(CultureInfo.InvariantCulture, $" failure={failure.GetType().Name} at=\"{Place(failure)}\"");
        lock (_lock)
            writer.WriteLine(line.ToString());
    }

    private static string Word(string method) => method.All(char.IsAsciiLetter) ? method : "-";

    /// <summary>Where it failed. Messages stay out: they may quote the request.</summary>
    private static string Place(Exception failure)
    {
        string trace = failure.StackTrace ?? "";
        return trace.Split('\n')[0].Trim().Replace('"', '\'');
    }
}
