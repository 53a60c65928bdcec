using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pure.Engine.Generation;

namespace Pure.Serve.Http;

/// <summary>What every request passes: its id, its key, the answer to what fails, and its line in the log.</summary>
internal sealed class RequestPipeline(ServerState state)
{
    private const int ClientGone = 499; // nginx's; no client sees it

    internal async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        ApiCall call = ApiCall.Begin(http);
        bool isHealth = http.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal);
        int? status = null;
        Exception? failure = null;
        try
        {
            if (!isHealth)
                Admit(http, call);
            await next(http);
            if (!http.Response.HasStarted && http.Response.StatusCode is StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed)
            {
                await RefuseAsync(http, call, http.Response.StatusCode == StatusCodes.Status404NotFound
                    ? ApiException.UnknownPath()
                    : ApiException.WrongMethod(http.Request.Method));
            }
        }
#pragma warning disable CA1031 // The outermost door: whatever fails, the client gets OpenAI's form and no internals.
        catch (Exception error)
#pragma warning restore CA1031
        {
            if (http.RequestAborted.IsCancellationRequested || error is OperationCanceledException)
            {
                status = ClientGone;
                return;
            }

            ApiException refusal = Translate(error);
            failure = refusal.Status == StatusCodes.Status500InternalServerError ? error : null;
            status = refusal.Status;
            await RefuseAsync(http, call, refusal);
        }
        finally
        {
            int sent = status ?? http.Response.StatusCode;
            if (!isHealth || sent != StatusCodes.Status200OK)
                state.Log.Write(call, http.Request.Method, (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText, sent, failure);
        }
    }

    private void Admit(HttpContext http, ApiCall call)
    {
        if (!state.Options.Keys.Admit(http.Request, out string holder))
            throw ApiException.InvalidKey();
        if (state.Options.SeparatesKeys)
            call.Scope = holder;
    }

    private static ApiException Translate(Exception error) => error switch
    {
        ApiException refusal => refusal,
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => ApiException.SlowBody(),
        BadHttpRequestException => ApiException.BadBody("The body is not what its headers say."),
        QueueFullException => ApiException.QueueFull(),
        OutOfMemoryException => ApiException.OutOfMemory(),
        _ => ApiException.Failure(),
    };

    /// <summary>Says what was wrong: in a body, or where events have begun, in one of them.</summary>
    private static async Task RefuseAsync(HttpContext http, ApiCall call, ApiException refusal)
    {
        if (call.Events is { HasStarted: true } events)
        {
            await events.SendAsync(refusal.Body, HttpJson.Readable.ErrorBody, http.RequestAborted);
            return;
        }

        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        http.Response.StatusCode = refusal.Status;
        if (refusal.RetryAfter is { } seconds)
            http.Response.Headers.RetryAfter = $"{seconds}";
        if (refusal.Status == StatusCodes.Status401Unauthorized)
            http.Response.Headers.WWWAuthenticate = "Bearer";
        await HttpJson.WriteAsync(http.Response, refusal.Body, HttpJson.Readable.ErrorBody);
    }
}
