using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace Pure.Engine.Tests.Generation.Grammars;

/// <summary>Validates JSON with JsonSchema.Net, which shares nothing with the grammars.</summary>
internal sealed class SchemaValidator(JsonObject schema)
{
    private static readonly EvaluationOptions Options = new() { RequireFormatValidation = true, EvaluateAs = SpecVersion.Draft202012 };
    private readonly JsonSchema _schema = JsonSchema.FromText(schema.ToJsonString());

    /// <summary>Fails unless a text is JSON that the schema allows.</summary>
    internal void Require(string text)
    {
        using var document = JsonDocument.Parse(text);
        Assert.True(_schema.Evaluate(Node(document.RootElement), Options).IsValid, $"{text}\ndoes not validate against\n{schema.ToJsonString()}");
    }

    /// <summary>
    /// JSON Schema counts code points, JsonSchema.Net what .NET takes for one sign, such as a letter with the mark after it; no schema here tells
    /// these characters apart.
    /// </summary>
    private static string Plain(string text) => string.Concat(text.EnumerateRunes().Select(rune => rune.Value is '\r' or > 0x24F ? "x" : $"{rune}"));

    /// <summary>Of members with one name the last counts, as for JSON.parse; JsonNode would fail.</summary>
    private static JsonNode? Node(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var node = new JsonObject();
                foreach (JsonProperty member in element.EnumerateObject())
                    node[Plain(member.Name)] = Node(member.Value);
                return node;
            case JsonValueKind.Array:
                return new JsonArray([.. element.EnumerateArray().Select(Node)]);
            case JsonValueKind.String:
                return Plain(element.GetString()!);
            default:
                return JsonNode.Parse(element.GetRawText());
        }
    }
}
