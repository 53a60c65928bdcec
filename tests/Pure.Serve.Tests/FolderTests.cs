using System.Text;
using System.Text.Json;

namespace Pure.Serve.Tests;

/// <summary>A Hugging Face folder in the place of a model.</summary>
public sealed class FolderTests : IDisposable
{
    private const string Messages = """{"messages": [{"role": "user", "content": "Hi"}], "bos_token": "<s>"}""";
    private const string Template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_template_is_found_in_a_folder_and_that_for_tools_where_there_are_tools()
    {
        Write("tokenizer_config.json", """
            {"chat_template": [{"name": "default", "template": "{{ bos_token }}{{ messages[0].content }}"}, {"name": "tool_use", "template": "tools"}],
             "bos_token": "<x>"}
            """);
        Assert.Equal("<s>Hi", Render(Messages).Succeeds().Output);
        Assert.Equal("<s>Hi", Render(Messages.Replace("{\"messages", "{\"tools\": null, \"messages", StringComparison.Ordinal)).Succeeds().Output);
        Assert.Equal("tools", Render("""{"tools": [{"name": "f"}]}""").Succeeds().Output);
        Write("chat_template.jinja", "{{ messages[0].content }}!\n");
        Assert.Equal("Hi!", Render(Messages).Succeeds().Output);
    }

    [Fact]
    public void A_folder_without_a_template_is_refused_with_what_was_sought() =>
        Render(Messages).IsRefused(_folder.Root, "directory without a chat template", "chat_template.jinja", "tokenizer_config.json");

    [Theory]
    [InlineData("tokenizer_config.json", """{"chat_template": 5}""", "chat_template", "string")]
    [InlineData("tokenizer_config.json", """{"chat_template": """, "line 1")]
    [InlineData("chat_template.json", "[1]", "object")]
    [InlineData("chat_template.jinja", "{% if %}", "line 1")]
    public void A_template_that_cannot_be_read_is_refused(string file, string text, params string[] facts)
    {
        Write(file, text);
        Render(Messages).IsRefused([file, .. facts]);
    }

    [Fact]
    public void A_million_levels_are_refused_in_every_file()
    {
        string deep = "{\"chat_template\":" + new string('[', 1_000_000);
        Write("tokenizer_config.json", deep);
        Render(Messages).IsRefused("tokenizer_config.json", "deep");
        CopyStories();
        Write("generation_config.json", deep);
        foreach (string command in new[] { "info", "run", "chat" })
            CommandRun.Of([command, _folder.Root, .. command == "run" ? new[] { "-p", "Once" } : []]).IsRefused("generation_config.json", "levels");
    }

    [Fact]
    public void Chat_writes_by_the_folders_template()
    {
        CopyStories();
        Write("chat_template.jinja", Template);
        string expected = CommandRun.Of("run", _folder.Root, "-p", "Once upon a time", "-n", "8", "--temp", "0").Succeeds().Output;

        CommandRun chat = CommandRun.Of("Once upon a time\n"u8.ToArray(), CancellationToken.None, "chat", _folder.Root, "-n", "8", "--temp", "0");

        Assert.Equal(expected, chat.Succeeds().Output);
    }

    [Fact]
    public void A_models_own_sampling_is_shown_and_options_go_before_it()
    {
        CopyStories();
        Write("generation_config.json", """{"do_sample": false, "top_k": 5, "eos_token_id": 2, "top_p": 0.9}""");

        Assert.Contains(
            "sampling       temperature 0, top-k 5, top-p 0.9\n", CommandRun.Of("info", _folder.Root).Succeeds().Output, StringComparison.Ordinal);
        JsonElement info = JsonDocument.Parse(CommandRun.Of("info", _folder.Root, "--json").Succeeds().OutputBytes).RootElement;
        Assert.Equal("""{"temp":0,"top_k":5,"top_p":0.9}""", info.GetProperty("sampling").GetRawText());
        string greedy = Run("--temp", "0");
        Assert.Equal(greedy, Run());
        Assert.NotEqual(greedy, Run("--temp", "50", "--top-k", "0", "--top-p", "1", "--min-p", "0"));

        string Run(params string[] more) => CommandRun.Of(["run", _folder.Root, "-p", "Once", "-n", "12", "-s", "1", .. more]).Succeeds().Output;
    }

    [Theory]
    [InlineData("""{"temperature": -1}""", "general.sampling.temp", "-1")]
    [InlineData("""{"top_p": "x"}""", "'top_p'", "a number")]
    [InlineData("""{"eos_token_id": {}}""", "'eos_token_id'", "integers")]
    public void A_generation_configuration_with_other_values_is_refused(string json, params string[] facts)
    {
        CopyStories();
        Write("generation_config.json", json);
        CommandRun.Of("run", _folder.Root, "-p", "Once").IsRefused(["generation_config.json", .. facts]);
        CommandRun.Of("info", _folder.Root).IsRefused(["generation_config.json", .. facts]);
    }

    [Fact]
    public void Help_says_where_the_defaults_come_from()
    {
        foreach (string command in new[] { "run", "chat" })
            Assert.Contains("generation_config.json", CommandRun.Of(command, "--help").Succeeds().Output, StringComparison.Ordinal);
    }

    /// <summary>A trained model of 656,000 parameters.</summary>
    private void CopyStories()
    {
        foreach (string file in Directory.GetFiles(Shared.Path("data/models/tinystories-656k")))
            File.Copy(file, _folder.File(Path.GetFileName(file)), overwrite: true);
    }

    private CommandRun Render(string json) =>
        CommandRun.Of(Encoding.UTF8.GetBytes(json), CancellationToken.None, "render", "--context", "-", "--template", _folder.Root);

    private void Write(string name, string text) => _folder.Write(name, Encoding.UTF8.GetBytes(text));
}
