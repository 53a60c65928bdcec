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

    /// <exception cref="ApiException">It is no JSON object, no well-formed Unicode, or nests too deep.</exception>
    /// <exception cref="BadHttpRequestException">It is too large, or did not come whole.</exception>
    internal static async Task<JsonDocument> ReadAsync(HttpContext http)
    {
        ReadOnlyMemory<byte> body = await ReadBytesAsync(http.Request.BodyReader, http.RequestAborted);
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

    /// <summary>Takes memory as bytes come, whatever length the headers promise.</summary>
    private static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(PipeReader reader, CancellationToken cancellation)
    {
        var body = new ArrayBufferWriter<byte>();
        while (true)
        {
            ReadResult result = await reader.ReadAsync(cancellation);
            foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                body.Write(segment.Span);
            reader.AdvanceTo(result.Buffer.End);
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
