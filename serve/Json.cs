using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pure.Serve.Benchmark;
using Pure.Serve.Commands;

namespace Pure.Serve;

/// <summary>What <c>--json</c> writes, serialised by generated code: the command is trimmed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = false,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunReport))]
[JsonSerializable(typeof(InfoReport))]
[JsonSerializable(typeof(PerplexityReport))]
[JsonSerializable(typeof(TokenizeReport))]
[JsonSerializable(typeof(BenchReport))]
internal sealed partial class Json : JsonSerializerContext
{
    private static Json? _readable;

    /// <summary>Letters beyond ASCII stay readable: the output is a file or a terminal, never HTML.</summary>
    internal static Json Readable => _readable ??= new Json(
        new JsonSerializerOptions(Default.GeneratedSerializerOptions!) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
