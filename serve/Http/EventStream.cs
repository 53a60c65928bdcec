using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Pure.Serve.Http;

/// <summary>
/// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), one JSON value each. Several texts may send at
/// once; each event goes out whole, and a reader who is slow slows the writers.
/// </summary>
internal sealed class EventStream(HttpResponse response) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Whether the status has gone out, so that an error can only be an event.</summary>
    internal bool HasStarted => response.HasStarted;

    /// <summary>Sends a value.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled, or the client is gone.</exception>
    internal async ValueTask SendAsync<T>(T value, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            PipeWriter pipe = Begin();
            pipe.Write("data: "u8);
            using (var writer = new Utf8JsonWriter(pipe, HttpJson.Writing))
                JsonSerializer.Serialize(writer, value, type);
            await EndAsync(pipe, cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Says that nothing follows.</summary>
    internal async ValueTask CompleteAsync(CancellationToken cancellation)
    {
        PipeWriter pipe = Begin();
        pipe.Write("data: [DONE]"u8);
        await EndAsync(pipe, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private PipeWriter Begin()
    {
        if (!response.HasStarted)
        {
            response.ContentType = "text/event-stream; charset=utf-8";
            response.Headers.CacheControl = "no-cache";
            response.Headers["X-Accel-Buffering"] = "no"; // nginx would hold events back
        }

        return response.BodyWriter;
    }

    private static async ValueTask EndAsync(PipeWriter pipe, CancellationToken cancellation)
    {
        pipe.Write("\n\n"u8);
        FlushResult result = await pipe.FlushAsync(cancellation);
        if (result.IsCompleted)
            throw new OperationCanceledException("The client is gone.");
    }
}
