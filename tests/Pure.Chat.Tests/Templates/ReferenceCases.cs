using System.Text;
using System.Text.Json;
using Pure.Chat.Templates;

namespace Pure.Chat.Tests.Templates;

/// <summary>Renderings by jinja2, beside the repository.</summary>
internal static class ReferenceCases
{
    /// <summary>The clock of the references.</summary>
    internal static readonly RenderOptions Clock = new() { Now = new DateTime(2025, 3, 9, 14, 5, 6) };

    internal static JsonElement Read(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Shared.Path("data", "templates", name)));
        return document.RootElement.GetProperty("cases").Clone();
    }

    /// <summary>The template of a case of <c>chat-render.json</c>: in the case, or in a file.</summary>
    internal static (string Source, string Name) Template(JsonElement test)
    {
        if (test.TryGetProperty("template", out JsonElement inline))
            return (inline.GetString()!, test.GetProperty("id").GetString()!);
        string file = test.GetProperty("template_file").GetString()!;
        return (Encoding.UTF8.GetString(File.ReadAllBytes(Shared.Path("data", "templates", file))), file);
    }

    /// <summary>Where two texts part, for a message.</summary>
    internal static string Difference(string expected, string actual)
    {
        int at = expected.AsSpan().CommonPrefixLength(actual);
        return $"at {at}: expected …{Around(expected, at)}, found …{Around(actual, at)}";

        static string Around(string text, int at) =>
            JsonSerializer.Serialize(text[Math.Max(0, at - 30)..Math.Min(text.Length, at + 60)]);
    }
}
