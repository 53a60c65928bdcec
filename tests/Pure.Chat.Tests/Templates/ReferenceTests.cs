using System.Text.Json;
using Pure.Chat.Templates;

namespace Pure.Chat.Tests.Templates;

/// <summary>Every stored rendering of jinja2, to the character.</summary>
public sealed class ReferenceTests
{
    /// <summary>
    /// Of these templates the stored variables are those after the reference had run and changed the list; before, it was this one.
    /// </summary>
    private static readonly string[] ChangeTheirVariables =
        ["{{ arr.pop() }}-{{ arr|join(',') }}", "{{ arr.pop(0) }}-{{ arr|join(',') }}", "{% set _ = arr.append('d') %}{{ arr|join(',') }}"];

    private static readonly JsonElement UnchangedVariables = JsonElement.Parse("""{"arr": ["a", "b", "c"]}""");

    [Fact]
    public void Chat_templates_give_the_prompts_of_jinja2()
    {
        var failures = new List<string>();
        int count = 0;
        foreach (JsonElement test in ReferenceCases.Read("chat-render.json").EnumerateArray())
        {
            count++;
            JsonElement context = test.GetProperty("context");
            if (Check(test, context) is { } failure)
                failures.Add($"{test.GetProperty("id").GetString()}: {failure}");
            if (test.TryGetProperty("same_if_null_keys_omitted", out JsonElement same) && same.GetBoolean()
                && Check(test, WithoutNulls(context)) is { } other)
            {
                failures.Add($"{test.GetProperty("id").GetString()} without its null keys: {other}");
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {count} fail:\n{string.Join('\n', failures)}");
        Assert.Equal(525, count);
    }

    [Fact]
    public void Lines_of_syntax_give_the_texts_of_jinja2()
    {
        var failures = new List<string>();
        int count = 0;
        foreach (JsonElement test in ReferenceCases.Read("jinja-syntax.json").EnumerateArray())
        {
            count++;
            string source = test.GetProperty("template").GetString()!;
            var syntax = new TemplateSyntax
            {
                TrimBlocks = test.GetProperty("trim_blocks").GetBoolean(),
                LstripBlocks = test.GetProperty("lstrip_blocks").GetBoolean(),
                KeepTrailingNewline = test.GetProperty("keep_trailing_newline").GetBoolean(),
            };
            string? expected = test.TryGetProperty("expected", out JsonElement text) ? text.GetString() : null;
            string? actual;
            string problem = "";
            try
            {
                JsonElement variables = ChangeTheirVariables.Contains(source) ? UnchangedVariables : test.GetProperty("vars");
                actual = ChatTemplate.Parse(source, "line", syntax).Render(variables, ReferenceCases.Clock);
            }
            catch (TemplateException exception)
            {
                actual = null;
                problem = exception.Message;
            }

            if (actual != expected)
                failures.Add($"{JsonSerializer.Serialize(source)}: expected {expected ?? "a failure"}, found {actual ?? problem}");
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {count} fail:\n{string.Join('\n', failures)}");
        Assert.Equal(438, count);
    }

    private static string? Check(JsonElement test, JsonElement context)
    {
        (string source, string name) = ReferenceCases.Template(test);
        try
        {
            string actual = ChatTemplate.Parse(source, name).Render(context, ReferenceCases.Clock);
            if (!test.TryGetProperty("expected", out JsonElement expected) || expected.ValueKind != JsonValueKind.String)
                return "expected a failure, found a prompt";
            return actual == expected.GetString() ? null : ReferenceCases.Difference(expected.GetString()!, actual);
        }
        catch (TemplateException exception)
        {
            if (!test.TryGetProperty("expected_error", out JsonElement error) || error.ValueKind != JsonValueKind.Object)
                return exception.Message;
            return error.GetProperty("kind").GetString() == "raise_exception"
                && !(exception.IsRaisedByTemplate && exception.Message == error.GetProperty("message").GetString())
                ? $"expected the message {error.GetProperty("message")}, found {exception.Message}"
                : null;
        }
    }

    private static JsonElement WithoutNulls(JsonElement context)
    {
        IEnumerable<string> properties = context.EnumerateObject()
            .Where(property => property.Value.ValueKind != JsonValueKind.Null)
            .Select(property => $"{JsonSerializer.Serialize(property.Name)}: {property.Value.GetRawText()}");
        using var document = JsonDocument.Parse($"{{{string.Join(',', properties)}}}");
        return document.RootElement.Clone();
    }
}
