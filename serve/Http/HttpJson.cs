using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Pure.Serve.Http;

/// <summary>What the server writes, serialised by generated code: the command is trimmed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = false,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(ChatCompletionBody))]
[JsonSerializable(typeof(ChatChunk))]
[JsonSerializable(typeof(CompletionBody))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ModelCard))]
[JsonSerializable(typeof(TokenList))]
[JsonSerializable(typeof(PieceList))]
[JsonSerializable(typeof(DecodedText))]
[JsonSerializable(typeof(HealthBody))]
[JsonSerializable(typeof(HealthErrorBody))]
internal sealed partial class HttpJson : JsonSerializerContext
{
    private static HttpJson? _readable;

    /// <summary>Letters beyond ASCII stay readable: the body is said to be JSON, and no browser takes it for HTML.</summary>
    internal static JsonWriterOptions Writing { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The types, written as <see cref="Writing"/> says.</summary>
    internal static HttpJson Readable => _readable ??= new HttpJson(
        new JsonSerializerOptions(Default.GeneratedSerializerOptions!) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Writes a value as the whole body of a response.</summary>
    internal static async Task WriteAsync<T>(HttpResponse response, T value, JsonTypeInfo<T> type)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, response.HttpContext.RequestAborted);
    }
}
