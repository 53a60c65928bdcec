using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Pure.Serve.Http;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>, and <c>/health</c>, with llama-server's bodies: the model is loaded and
/// requests are taken. None needs a key.
/// </summary>
internal static class HealthEndpoints
{
    internal static void Map(IEndpointRouteBuilder routes, ServerState state)
    {
        routes.MapGet("/health/live", http => HttpJson.WriteAsync(http.Response, HealthBody.Good, HttpJson.Readable.HealthBody));
        routes.MapGet("/health/ready", http => SayReadyAsync(http, state));
        routes.MapGet("/health", http => SayReadyAsync(http, state));
    }

    private static Task SayReadyAsync(HttpContext http, ServerState state)
    {
        string? problem = state.Admission.IsDraining ? "Shutting down" : state.Model is null ? "Loading model" : null;
        if (problem is null)
            return HttpJson.WriteAsync(http.Response, HealthBody.Good, HttpJson.Readable.HealthBody);
        http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        var body = new HealthErrorBody(new HealthError(StatusCodes.Status503ServiceUnavailable, problem, "unavailable_error"));
        return HttpJson.WriteAsync(http.Response, body, HttpJson.Readable.HealthErrorBody);
    }
}

/// <summary>All is well.</summary>
internal sealed record HealthBody(string Status)
{
    internal static HealthBody Good { get; } = new("ok");
}

/// <summary>Something is not well.</summary>
internal sealed record HealthErrorBody(HealthError Error);

/// <summary>What it is.</summary>
internal sealed record HealthError(int Code, string Message, string Type);
