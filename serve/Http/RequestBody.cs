using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace Pure.Serve.Http;

/// <summary>The JSON object that a request carries, read so that nothing in it can surprise later: depth, encoding, escapes.</summary>
internal static class RequestBody
{
    private const int MostDepth = 64;
    private const long MostIgnored = 64 << 20;

    /// <param name="http">The request.</param>
    /// <param name="most">Most bytes of it.</param>
    /// <exception cref="ApiException">It is too large, no JSON object, no well-formed Unicode, or nests too deep.</exception>
    /// <exception cref="BadHttpRequestException">It did not come whole.</exception>
    internal static async Task<JsonDocument> ReadAsync(HttpContext http, long most)
    {
        ReadOnlyMemory<byte> body = await ReadBytesAsync(http.Request.BodyReader, most, http.RequestAborted);
        if (!Utf8.IsValid(body.Span))
            throw ApiException.BadBody("The body is not UTF-8.");
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MostDepth });
            RequireWholeSurrogates(body.Span);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document
                : throw ApiException.BadBody("The body is JSON, but no object.");
        }
        catch (JsonException error)
        {
            document?.Dispose();
            throw ApiException.BadBody(
                $"The body is no JSON that nests at most {MostDepth} deep: line {error.LineNumber + 1}, byte {error.BytePositionInLine}.");
        }
        catch
        {
            document?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes memory as bytes come, whatever length the headers promise. What is too large is read on and forgotten, up to a bound: most clients
    /// look at an answer only when they have sent all, and a connection closed before tells them nothing.
    /// </summary>
    private static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(PipeReader reader, long most, CancellationToken cancellation)
    {
        var body = new ArrayBufferWriter<byte>();
        long read = 0;
        while (true)
        {
            ReadResult result = await reader.ReadAsync(cancellation);
            read += result.Buffer.Length;
            if (read > most)
                body = new ArrayBufferWriter<byte>();
            foreach (ReadOnlyMemory<byte> segment in result.Buffer)
            {
                if (read <= most)
                    body.Write(segment.Span);
            }

            reader.AdvanceTo(result.Buffer.End);
            if (read > most && (result.IsCompleted || read - most > MostIgnored))
                throw ApiException.LargeBody(most);
            if (result.IsCompleted)
                return body.WrittenMemory;
        }
    }

    /// <summary>JSON can write half a surrogate pair (<c>"\ud800"</c>); no text has one, and reading it as a text would throw.</summary>
    private static void RequireWholeSurrogates(ReadOnlySpan<byte> body)
    {
        if (body.IndexOf("\\u"u8) < 0)
            return;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MostDepth });
        while (reader.Read())
        {
            if (!reader.ValueIsEscaped)
                continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException)
            {
                throw ApiException.BadBody($"The body has half a surrogate pair in the text at byte {reader.TokenStartIndex}; no text has one.");
            }
        }
    }
}
