using System.Text;
using System.Text.Json;
using Pure.Chat.Templates;
using Pure.Engine;

namespace Pure.Chat.Tests.Templates;

/// <summary>Where the chat template of a Hugging Face folder lies, and which of several it is.</summary>
public sealed class FolderTemplateTests : IDisposable
{
    private const string Several = """
        {"chat_template": [{"name": "rag", "template": "rag"}, {"name": "default", "template": "usual"}, {"name": "tool_use", "template": "tools"}]}
        """;

    private readonly TinyFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_without_a_template_has_none()
    {
        Assert.Null(ModelTemplate.FindIn(_folder.Root));
        _folder.Write("tokenizer_config.json", """{"chat_template": null}""");
        Assert.Null(ModelTemplate.FindIn(_folder.Root));
        _folder.Write("tokenizer_config.json", """{"chat_template": [{"name": "rag", "template": "rag"}]}""");
        Assert.Null(ModelTemplate.FindIn(_folder.Root));
    }

    [Fact]
    public void The_file_of_its_own_goes_before_the_configuration_and_that_before_the_processors()
    {
        _folder.Write("chat_template.json", """{"chat_template": "third"}""");
        Assert.Equal("third", Render());
        _folder.Write("tokenizer_config.json", """{"chat_template": "second"}""");
        Assert.Equal("second", Render());
        _folder.Write("chat_template.jinja", "first\n");
        Assert.Equal("first", Render());
    }

    [Fact]
    public void Of_several_the_one_for_tools_is_taken_where_there_are_tools()
    {
        _folder.Write("tokenizer_config.json", Several);
        Assert.Equal(("usual", "tools"), (Render(), Render(withTools: true)));
        _folder.Write("chat_template.jinja", "file");
        Assert.Equal(("file", "file"), (Render(), Render(withTools: true)));
        _folder.Write("additional_chat_templates/tool_use.jinja", "file for tools");
        Assert.Equal(("file", "file for tools"), (Render(), Render(withTools: true)));
    }

    [Fact]
    public void The_template_sees_the_tokens_that_the_configuration_names()
    {
        _folder.Write("chat_template.jinja", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}{{ unk_token is defined }}");
        using var model = LanguageModel.Load(_folder.Root);
        ModelTemplate template = ModelTemplate.Find(model)!;
        Assert.Equal("<s>ab</s><pad>False", template.Render([new ChatMessage("user", "ab")]));
    }

    [Fact]
    public void A_beginning_that_the_tokenizer_adds_is_not_written_twice()
    {
        _folder.Write("chat_template.jinja", "{{ bos_token }}{{ messages[0].content }}");
        _folder.Write("tokenizer_config.json", """{"bos_token": {"content": "<s>"}, "add_bos_token": true}""");
        using var model = LanguageModel.Load(_folder.Root);
        string prompt = ModelTemplate.Find(model)!.Render([new ChatMessage("user", "ab")]);
        Assert.Equal("ab", prompt);
        Assert.Equal([5, 0, 1], model.Tokenizer.Encode(prompt));
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"chat_template": 5}""", "chat_template", "string")]
    [InlineData("tokenizer_config.json", """{"chat_template": {"a": 1}}""", "chat_template", "string")]
    [InlineData("tokenizer_config.json", """{"chat_template": [5]}""", "chat_template[0]", "object")]
    [InlineData("tokenizer_config.json", """{"chat_template": [{"name": "default"}]}""", "chat_template[0]", "template")]
    [InlineData("tokenizer_config.json", """{"chat_template": [{"name": 1, "template": ""}]}""", "chat_template[0].name", "string")]
    [InlineData("tokenizer_config.json", """{"chat_template": "\ud800"}""", "chat_template", "Unicode")]
    [InlineData("tokenizer_config.json", """["chat_template"]""", "object")]
    [InlineData("tokenizer_config.json", """{"chat_template": """, "line 1")]
    [InlineData("chat_template.json", """{"chat_template": 5}""", "chat_template", "string")]
    public void Configurations_that_hold_something_else_are_refused(string file, string json, params string[] facts) =>
        Refuses(file, Encoding.UTF8.GetBytes(json), facts);

    [Fact]
    public void Files_beyond_measure_are_refused()
    {
        Refuses("tokenizer_config.json", Encoding.UTF8.GetBytes("{\"chat_template\":" + new string('[', 1_000_000)), "deep");
        Refuses("chat_template.json", Encoding.UTF8.GetBytes("{\"chat_template\":" + new string('[', 1_000_000)), "deep");
        Refuses("chat_template.jinja", new byte[(4 << 20) + 1], "4194305 bytes");
        Refuses("chat_template.jinja", [0x7B, 0xFF], "UTF-8");
    }

    [Theory]
    [InlineData("{% if %}", "line 1")]
    [InlineData("a\n{{ b", "line 2")]
    public void A_template_that_is_none_is_named_with_its_file(string source, string fact)
    {
        _folder.Write("chat_template.jinja", source);
        string message = Assert.Throws<TemplateException>(() => ModelTemplate.FindIn(_folder.Root)).Message;
        Assert.Contains("chat_template.jinja", message, StringComparison.Ordinal);
        Assert.Contains(fact, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_million_opened_brackets_in_a_template_end_in_one_sentence()
    {
        _folder.Write("chat_template.jinja", "{{ " + new string('(', 1_000_000));
        Assert.Throws<TemplateException>(() => ModelTemplate.FindIn(_folder.Root));
    }

    private string Render(bool withTools = false)
    {
        using var variables = JsonDocument.Parse("{}");
        return ModelTemplate.FindIn(_folder.Root, withTools)!.Render(variables.RootElement);
    }

    private void Refuses(string file, byte[] bytes, params string[] facts)
    {
        File.Delete(_folder.Path("tokenizer_config.json"));
        _folder.Write(file, bytes);
        string message = Assert.Throws<ModelFormatException>(() => ModelTemplate.FindIn(_folder.Root)).Message;
        File.Delete(_folder.Path(file));
        foreach (string fact in (string[])[file, .. facts])
            Assert.Contains(fact, message, StringComparison.Ordinal);
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
