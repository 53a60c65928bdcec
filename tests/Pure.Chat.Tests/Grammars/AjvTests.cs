#pragma warning disable xUnit1051 // a text may take its time
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Pure.Engine.Generation;
using Pure.Engine.Generation.Grammars;
using Pure.Engine.Tests.Generation.Grammars;

namespace Pure.Chat.Tests.Grammars;

/// <summary>What the embedded model writes for many schemas, before ajv, the validator that most of the web uses.</summary>
public sealed class AjvTests(DefaultModel shared) : IClassFixture<DefaultModel>
{
    private const int RandomSchemas = 1000;

    // In the manner of OpenAI's guides to function calling and structured outputs.
    private static readonly string[] Functions =
    [
        """{"type":"object","properties":{"location":{"type":"string","description":"City and country","maxLength":30},"units":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["location","units"],"additionalProperties":false}""",
        """{"type":"object","properties":{"to":{"type":"string","maxLength":20},"subject":{"type":"string","maxLength":20},"body":{"type":"string","maxLength":40}},"required":["to","subject","body"],"additionalProperties":false}""",
        """{"type":"object","properties":{"query":{"type":"string","maxLength":20},"options":{"type":"object","properties":{"num_results":{"type":"number","minimum":1,"maximum":20},"domain_filter":{"type":["string","null"],"maxLength":20},"sort_by":{"type":["string","null"],"enum":["relevance","date","popularity",null]}},"required":["num_results","domain_filter","sort_by"],"additionalProperties":false}},"required":["query","options"],"additionalProperties":false}""",
        """{"type":"object","properties":{"steps":{"type":"array","maxItems":3,"items":{"type":"object","properties":{"explanation":{"type":"string","maxLength":30},"output":{"type":"string","maxLength":20}},"required":["explanation","output"],"additionalProperties":false}},"final_answer":{"type":"string","maxLength":20}},"required":["steps","final_answer"],"additionalProperties":false}""",
        """{"type":"object","properties":{"linked_list":{"$ref":"#/$defs/node"}},"$defs":{"node":{"type":"object","properties":{"value":{"type":"number","minimum":0,"maximum":9},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["value","next"],"additionalProperties":false}},"required":["linked_list"],"additionalProperties":false}""",
        """{"type":"object","properties":{"item":{"anyOf":[{"type":"object","properties":{"name":{"type":"string","maxLength":10},"age":{"type":"number","maximum":120,"minimum":0}},"additionalProperties":false,"required":["name","age"]},{"type":"object","properties":{"number":{"type":"string","pattern":"^\\d{1,4}$"},"street":{"type":"string","maxLength":20}},"additionalProperties":false,"required":["number","street"]}]}},"additionalProperties":false,"required":["item"]}""",
    ];

    [Fact]
    public async Task What_the_model_finishes_validates()
    {
        string folder = Folder();
        using TextScheduler scheduler = shared.Model.CreateScheduler(new SchedulerOptions { CachePositions = 32 * 512, ContextLength = 512, MaxWaiting = 2000 });
        (string Schema, TextCompletion Text)[] texts = [.. Enumerable.Range(0, RandomSchemas)
            .Select(seed => new RandomSchema(seed, hasFurtherMembers: seed % 4 == 0).Next().ToJsonString())
            .Concat(Functions)
            .Select((schema, seed) => (schema, scheduler.GenerateAsync(
                "A child wrote: ",
                new TextOptions { Temperature = 1.5f, TopK = 0, TopP = 1, MinP = 0, Seed = (ulong)seed, Grammar = Grammar.FromJsonSchema(schema) })))];
        var lines = new StringBuilder();
        int finished = 0;
        foreach ((string schema, TextCompletion text) in texts)
        {
            string written = await text.ReadAsync();
            if (text.StopReason != StopReason.EndOfText)
                continue;
            finished++;
            lines.Append(new JsonObject { ["schema"] = JsonNode.Parse(schema), ["text"] = written }.ToJsonString()).Append('\n');
        }

        Assert.Equal("", await Validate(folder, lines.ToString()));
        Assert.InRange(finished, texts.Length * 7 / 10, texts.Length);
    }

    private static string Folder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Pure.sln")))
            folder = folder.Parent;
        string ajv = Path.Combine(folder?.FullName ?? "", "tests", "Pure.Chat.Tests", "Grammars", "Ajv");
        if (!Directory.Exists(Path.Combine(ajv, "node_modules", "ajv")))
            Assert.Skip("ajv is not installed: npm install --no-package-lock in tests/Pure.Chat.Tests/Grammars/Ajv, as .ci/run does where there is Node");
        return ajv;
    }

    private static async Task<string> Validate(string folder, string lines)
    {
        var start = new ProcessStartInfo("node", "validate.mjs") { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true };
        try
        {
            using Process node = Process.Start(start)!;
            Task<string> output = node.StandardOutput.ReadToEndAsync();
            await node.StandardInput.WriteAsync(lines);
            node.StandardInput.Close();
            string problems = await output;
            await node.WaitForExitAsync();
            Assert.Equal(0, node.ExitCode);
            return problems;
        }
        catch (Win32Exception)
        {
            Assert.Skip("there is no Node to run ajv");
            throw;
        }
    }
}
