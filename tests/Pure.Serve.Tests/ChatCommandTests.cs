using System.Text;
using System.Text.Json;
using Pure.Chat;
using Pure.Chat.Templates;
using Pure.Serve.Commands;

namespace Pure.Serve.Tests;

public class ChatCommandTests
{
    private const string Dog = "Tell me a story about a dog.";

    [Fact]
    public void A_turn_is_what_the_prompt_of_its_template_gives() =>
        Assert.Equal(Continue($"<|user|>{Dog}<|assistant|>", 12), Chat($"{Dog}\n", "-n", "12").Succeeds().Output);

    [Fact]
    public void The_second_turn_sees_the_first_whether_it_is_read_again_or_not()
    {
        // Long enough to end by itself: then the session goes on from it. Loaded from a file, it reads everything anew.
        using var folder = new TemporaryFolder();
        string file = folder.File("chat.json");
        CommandRun whole = Chat($"{Dog}\n/save {file}\nAnd a cat.\n/save {file}.2\n").Succeeds();
        string first = Messages(file)[1].Content;
        string second = Messages(file + ".2")[3].Content;

        Assert.Equal($"{first}\n{second}\n", whole.Output);
        Assert.Equal($"{second}\n", Chat($"/load {file}\nAnd a cat.\n").Succeeds().Output);
        Assert.Equal(
            $"{second}\n", Continue($"<|user|>{Dog}<|assistant|>{first}<|end_of_text|><|user|>And a cat.<|assistant|>", 400));
    }

    [Fact]
    public void A_system_message_comes_first_and_stays_after_a_reset()
    {
        string expected = Continue($"<|system|>Be kind.<|user|>{Dog}<|assistant|>", 8);

        Assert.Equal(expected, Chat($"{Dog}\n", "-n", "8", "--system", "Be kind.").Succeeds().Output);
        Assert.Equal(expected, Chat($"/system Be kind.\n{Dog}\n", "-n", "8").Succeeds().Output);
        CommandRun reset = Chat($"/system Be cruel.\nA cat.\n/system Be kind.\n/reset\n{Dog}\n", "-n", "8").Succeeds();
        Assert.EndsWith(expected, reset.Output, StringComparison.Ordinal);
        Assert.Equal(Continue($"<|user|>{Dog}<|assistant|>", 8), Chat($"/system x\n/system\n{Dog}\n", "-n", "8").Succeeds().Output);
    }

    [Fact]
    public void A_conversation_survives_its_file()
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("chat.json");
        Chat($"/system Sé \"kind\".\n\"\"\"{Dog}\n/bye\"\"\"\n/save {file}\n", "-n", "4").Succeeds();

        (string Role, string Content)[] messages = Messages(file);

        Assert.Equal(["system", "user", "assistant"], messages.Select(message => message.Role));
        Assert.Equal(["Sé \"kind\".", $"{Dog}\n/bye"], messages[..2].Select(message => message.Content));
        Chat($"/load {file}\n/save {file}.2\n").Succeeds();
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(file + ".2"));
    }

    [Theory]
    [InlineData("/foo\n", "/foo is no command here")]
    [InlineData("/save\n", "/save needs the name of a file")]
    [InlineData("/load /no/such/file\n", "no such file")]
    [InlineData("/load -\n", "standard input")]
    public void A_wrong_line_gets_one_sentence_and_the_conversation_goes_on(string line, string fact)
    {
        CommandRun run = Chat($"{line}{Dog}\n", "-n", "4").Succeeds();

        Assert.Contains(fact, run.Errors, StringComparison.Ordinal);
        Assert.Equal(1, run.Errors.Count(letter => letter == '\n'));
        Assert.Equal(Continue($"<|user|>{Dog}<|assistant|>", 4), run.Output);
    }

    [Theory]
    [InlineData("{}", "expected a JSON array")]
    [InlineData("[{\"role\": \"user\"}]", "message 0 needs")]
    [InlineData("[{\"role\": \"user\", \"content\": \"a\"}, 5]", "message 1 needs")]
    [InlineData("[{\"role\": \"user\", \"content\": \"\\ud800\"}]", "message 0 needs")]
    [InlineData("nonsense", "is no JSON")]
    public void A_file_that_holds_no_conversation_is_refused_and_changes_nothing(string json, string fact)
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("chat.json", Encoding.UTF8.GetBytes(json));

        CommandRun run = Chat($"/load {file}\n{Dog}\n", "-n", "4").Succeeds();

        Assert.Contains(fact, run.Errors, StringComparison.Ordinal);
        Assert.Equal(Continue($"<|user|>{Dog}<|assistant|>", 4), run.Output);
    }

    [Fact]
    public void Ctrl_C_stops_the_answer_and_not_the_program()
    {
        using var interruption = new Interruption();
        using var output = new WatchedStream(() => interruption.Diversion!());
        using var errors = new MemoryStream();
        using var input = new MemoryStream(Encoding.UTF8.GetBytes($"{Dog}\n/reset\n/help\n"));
        var streams = new CommandStreams(input, output, errors) { Interruption = interruption };

        Assert.Equal(0, Cli.Run(["chat", "--temp", "0", "-t", "2"], streams, CancellationToken.None));

        string text = Encoding.UTF8.GetString(output.ToArray());
        Assert.Contains("/bye", text, StringComparison.Ordinal);
        Assert.InRange(text.IndexOf('\n', StringComparison.Ordinal), 1, 40);
        Assert.Null(interruption.Diversion);
    }

    [Theory]
    [InlineData(5, null)]
    [InlineData(int.MaxValue, 6)]
    [InlineData(int.MaxValue, null)]
    public void The_turn_after_any_answer_reads_only_what_is_new(int cancelAfter, int? most)
    {
        using LanguageModel model = LanguageModel.LoadDefault();
        ModelTemplate template = ModelTemplate.Find(model)!;
        TextOptions options = new() { Temperature = 0, MaxTokens = most };
        using var conversation = new ChatConversation(model, template, 512);
        using var cancellation = new CancellationTokenSource();
        int pieces = 0;
        StopReason? reason = conversation.Say(
            Dog,
            options,
            _ =>
            {
                if (++pieces == cancelAfter)
                    cancellation.Cancel();
            },
            cancellation.Token);
        Assert.Equal(cancelAfter < int.MaxValue ? StopReason.Cancelled : most is null ? StopReason.EndOfText : StopReason.MaxTokens, reason);
        string first = conversation.Messages[^1].Content;
        conversation.Say("And a cat.", options with { MaxTokens = 8 }, _ => { }, TestContext.Current.CancellationToken);

        using var anew = new ChatConversation(model, template, 512);
        anew.Replace(conversation.Messages.Take(2));
        anew.Say("And a cat.", options with { MaxTokens = 8 }, _ => { }, TestContext.Current.CancellationToken);
        Assert.Equal(anew.Messages[^1].Content, conversation.Messages[^1].Content);
        Assert.InRange(conversation.TokensRead, 1, anew.TokensRead - model.Tokenizer.Encode(first, addSpecial: false).Length);
    }

    [Fact]
    public void A_conversation_that_outgrows_the_context_is_refused_and_can_be_reset()
    {
        CommandRun run = Chat($"{Dog}\nAnd a cat, please, with a long tail and a red hat.\n/reset\n{Dog}\n", "-c", "24").Succeeds();

        Assert.Contains("the context is 24", run.Errors, StringComparison.Ordinal);
        string[] answers = run.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(answers[0], answers[^1]);
    }

    [Fact]
    public void What_the_template_refuses_is_said_and_forgotten()
    {
        using var folder = new TemporaryFolder();
        string template = folder.Write("t.jinja", Encoding.UTF8.GetBytes(
            "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('No system here.') }}{% endif %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>"));

        CommandRun run = Chat($"/system x\nHi\n/system\n{Dog}\n", "-n", "4", "--template", template).Succeeds();

        Assert.Equal("No system here.\n", run.Errors);
        Assert.Equal(Continue($"<|user|>{Dog}<|assistant|>", 4), run.Output);
    }

    [Fact]
    public void A_model_without_a_template_is_refused_with_what_to_do()
    {
        string model = Shared.Path("data/models/stories260K/stories260K-f32.gguf");
        CommandRun.Of("chat", model).IsRefused("no chat template", "--template", "pure run");
    }

    [Fact]
    public void Help_shows_each_option_and_an_example()
    {
        string text = CommandRun.Of("chat", "--help").Succeeds().Output;
        foreach (string fact in new[] { "--system", "--template", "--ctx-size", "--n-predict", "--speculate", "--temp", "--seed", "--threads", "/save F", "  pure chat " })
            Assert.Contains(fact, text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 100, line));
    }

    private static CommandRun Chat(string lines, params string[] args) =>
        CommandRun.Of(Encoding.UTF8.GetBytes(lines), CancellationToken.None, ["chat", "--temp", "0", "-t", "2", .. args]);

    private static string Continue(string prompt, int tokens) =>
        CommandRun.Of("run", "-p", prompt, "-n", $"{tokens}", "--temp", "0", "-t", "2").Succeeds().Output;

    private static (string Role, string Content)[] Messages(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        return
        [
            .. document.RootElement.EnumerateArray()
                .Select(message => (message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!)),
        ];
    }

    /// <summary>Does something at the first write.</summary>
    private sealed class WatchedStream(Action onFirstWrite) : MemoryStream
    {
        private bool _written;

        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, count);
            if (_written)
                return;
            _written = true;
            onFirstWrite();
        }
    }
}
