using System.Text;

namespace Pure.Serve.Tests;

public class RenderCommandTests
{
    private const string Hello = """{"messages": [{"role": "user", "content": "Hi é😀"}], "add_generation_prompt": true, "bos_token": "<s>"}""";

    [Fact]
    public void The_prompt_is_written_to_the_byte()
    {
        using var folder = new TemporaryFolder();
        string template = Write(folder, "t.jinja", "{{ messages[0].content }}\n  {% if tools is defined %}tools{% endif %}\n|{{ x }}\n");
        string context = Write(folder, "c.json", Hello);

        CommandRun run = CommandRun.Of("render", "--template", template, "--context", context).Succeeds();

        Assert.Equal("Hi é😀\n|", run.Output);
        Assert.Empty(run.Errors);
    }

    [Fact]
    public void A_model_carries_its_template()
    {
        const string Prompt = "<s><|user|>Hi é😀<|assistant|>";
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Pure.sln")))
            root = root.Parent!;
        string model = Path.Combine(root.FullName, "chat", "Models", "stories-moe", "stories-moe-q8_0.gguf");

        Assert.Equal(Prompt, Render(Hello, "--template", model).Succeeds().Output);
        Assert.Equal(Prompt, Render(Hello, "--template", "stories-moe").Succeeds().Output);
        Assert.Equal(Prompt, Render(Hello).Succeeds().Output);
    }

    [Theory]
    [InlineData("2025-03-09", "2025-03-09 00:00:00")]
    [InlineData("2025-03-09T14:05", "2025-03-09 14:05:00")]
    [InlineData("2025-03-09T14:05:06", "2025-03-09 14:05:06")]
    [InlineData("2025-03-09T14:05:06.25", "2025-03-09 14:05:06")]
    [InlineData("2025-03-09T14:05:06Z", "2025-03-09 14:05:06")]
    [InlineData("2025-03-09T14:05:06+05:00", "2025-03-09 14:05:06")]
    public void The_clock_says_what_it_is_told(string now, string expected)
    {
        using var folder = new TemporaryFolder();
        string template = Write(folder, "t.jinja", "{{ strftime_now('%Y-%m-%d %H:%M:%S') }}");
        Assert.Equal(expected, Render("{}", "--template", template, "--now", now).Succeeds().Output);
    }

    [Fact]
    public void What_the_template_raises_is_all_that_is_said()
    {
        using var folder = new TemporaryFolder();
        string template = Write(folder, "t.jinja", "text {{ raise_exception('Roles must alternate!') }}");

        CommandRun run = Render("{}", "--template", template);

        Assert.Equal((2, "", "pure: Roles must alternate!\n"), (run.ExitCode, run.Output, run.Errors));
    }

    [Theory]
    [InlineData("{{ x.y }}", "t.jinja, line 1: 'x' is undefined")]
    [InlineData("a\n{% if %}", "t.jinja, line 2: expected an expression")]
    [InlineData("{% for i in range(10 ** 9) %}{% endfor %}", "steps")]
    [InlineData("{{ ''.__class__.__mro__ }}", "'__class__'")]
    public void A_template_that_fails_is_refused(string source, string fact)
    {
        using var folder = new TemporaryFolder();
        Render("{}", "--template", Write(folder, "t.jinja", source)).IsRefused(fact);
    }

    [Theory]
    [InlineData("", "standard input is no JSON, line 1")]
    [InlineData("{\"a\": 1,\n\"b\"}", "line 2, byte 3")]
    [InlineData("[1]", "array", "give an object")]
    [InlineData("{\"a\": \"\\ud800\"}", "surrogate")]
    public void Variables_that_are_none_are_refused(string json, params string[] facts) => Render(json).IsRefused(facts);

    [Fact]
    public void Json_of_a_million_levels_is_refused() => Render(new string('[', 1_000_000)).IsRefused("line 1", "depth");

    [Fact]
    public void Files_that_cannot_be_read_are_refused()
    {
        using var folder = new TemporaryFolder();
        string context = Write(folder, "c.json", "{}");
        CommandRun.Of("render").IsRefused("--context F");
        CommandRun.Of("render", "--context", folder.File("none")).IsRefused("no such file");
        CommandRun.Of("render", "--context", context, "--template", folder.File("none")).IsRefused("no such file");
        CommandRun.Of("render", "--context", context, "--template", folder.Root).IsRefused("directory");
        CommandRun.Of("render", "--context", context, "--template", folder.Write("t", [0x47, 0xFF])).IsRefused("not UTF-8");
        CommandRun.Of("render", "--context", context, "--template", folder.Write("t.gguf", "GGUF\0"u8.ToArray())).IsRefused("t.gguf");
        CommandRun.Of("render", "--context", context, "--now", "today").IsRefused("\"today\"", "2025-03-09");
    }

    [Fact]
    public void Help_shows_each_option_and_an_example()
    {
        string text = CommandRun.Of("render", "--help").Succeeds().Output;
        foreach (string fact in new[] { "--template", "--context", "--now", "  pure render " })
            Assert.Contains(fact, text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 100, line));
    }

    private static CommandRun Render(string json, params string[] args) =>
        CommandRun.Of(Encoding.UTF8.GetBytes(json), CancellationToken.None, ["render", "--context", "-", .. args]);

    private static string Write(TemporaryFolder folder, string name, string text) => folder.Write(name, Encoding.UTF8.GetBytes(text));
}
