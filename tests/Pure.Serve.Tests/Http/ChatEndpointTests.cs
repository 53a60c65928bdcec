#pragma warning disable xUnit1051 // the tests are short
using System.Text;
using System.Text.Json;
using Pure.Chat;
using Pure.Chat.Templates;

namespace Pure.Serve.Tests.Http;

public sealed class ChatEndpointTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string Path = "/v1/chat/completions";
    private const string Question = "Tell me a story about a little dog.";

    [Fact]
    public async Task The_answer_is_what_follows_the_prompt_of_the_models_template()
    {
        string prompt = ModelTemplate.Find(server.Model)!.Render([new ChatMessage("user", Question)]);
        string expected = await server.WriteAsync(prompt, new TextOptions { Seed = 7, MaxTokens = 40 });
        JsonElement answer = await server.PostAsync(Path, Body("\"seed\": 7, \"max_completion_tokens\": 40, \"max_tokens\": 3"));
        JsonElement message = Choice(answer).GetProperty("message");

        Assert.Equal("chat.completion", answer.GetProperty("object").GetString());
        Assert.Equal("assistant", message.GetProperty("role").GetString());
        Assert.Equal(expected, message.GetProperty("content").GetString());
        Assert.Equal("length", Choice(answer).GetProperty("finish_reason").GetString());
        int tokens = server.Model.EncodePrompt(prompt).Length;
        Assert.Equal((tokens, 40, tokens + 40), CompletionEndpointTests.Usage(answer));
    }

    [Fact]
    public async Task A_story_that_ends_has_stopped_and_its_end_is_counted_but_not_shown()
    {
        JsonElement answer = await server.PostAsync(Path, Body("\"temperature\": 0"));
        Assert.Equal("stop", Choice(answer).GetProperty("finish_reason").GetString());
        Assert.DoesNotContain("<|", Content(answer), StringComparison.Ordinal);
        Assert.Equal(
            server.Model.Tokenizer.Encode(Content(answer), addSpecial: false).Length + 1,
            CompletionEndpointTests.Usage(answer).Completion);
    }

    [Theory]
    [InlineData("[{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"Tell me a story about a little dog.\"}]}]")]
    [InlineData("[{\"role\": \"user\", \"content\": \"Tell me a story about a little dog.\", \"name\": \"Tom\"}]")]
    public async Task Content_may_be_a_text_or_parts(string messages) =>
        Assert.Equal(
            Content(await server.PostAsync(Path, Body("\"temperature\": 0, \"max_tokens\": 20"))),
            Content(await server.PostAsync(Path, $"{{\"messages\": {messages}, \"temperature\": 0, \"max_tokens\": 20}}")));

    [Fact]
    public async Task Developers_speak_as_the_system()
    {
        Assert.Equal(await AskAsync("system"), await AskAsync("developer"));

        async Task<string> AskAsync(string role) => Content(await server.PostAsync(
            Path,
            $"{{\"messages\": [{{\"role\": \"{role}\", \"content\": \"Be short.\"}}, {{\"role\": \"user\", \"content\": \"{Question}\"}}], "
            + "\"temperature\": 0, \"max_tokens\": 20}"));
    }

    [Fact]
    public async Task Earlier_turns_are_part_of_the_prompt()
    {
        const string Turns = "[{\"role\": \"user\", \"content\": \"Hello\"}, "
            + "{\"role\": \"assistant\", \"content\": \"Once there was a cat.\"}, {\"role\": \"user\", \"content\": \"Go on\"}]";
        string prompt = ModelTemplate.Find(server.Model)!.Render(
            [new ChatMessage("user", "Hello"), new ChatMessage("assistant", "Once there was a cat."), new ChatMessage("user", "Go on")]);
        JsonElement answer = await server.PostAsync(Path, $"{{\"messages\": {Turns}, \"temperature\": 0, \"max_tokens\": 12}}");
        Assert.Equal(await server.WriteAsync(prompt, new TextOptions { Temperature = 0, MaxTokens = 12 }), Content(answer));
    }

    [Fact]
    public async Task Log_probabilities_come_token_by_token_with_bytes()
    {
        JsonElement answer = await server.PostAsync(Path, Body("\"temperature\": 0, \"max_tokens\": 10, \"logprobs\": true, \"top_logprobs\": 2"));
        JsonElement[] tokens = [.. Choice(answer).GetProperty("logprobs").GetProperty("content").EnumerateArray()];
        byte[] bytes = [.. tokens.SelectMany(token => token.GetProperty("bytes").EnumerateArray().Select(unit => unit.GetByte()))];

        Assert.Equal(10, tokens.Length);
        Assert.Equal(Content(answer), Encoding.UTF8.GetString(bytes));
        Assert.All(tokens, token =>
        {
            JsonElement[] top = [.. token.GetProperty("top_logprobs").EnumerateArray()];
            Assert.Equal(2, top.Length);
            Assert.Equal(token.GetProperty("logprob").GetDouble(), top[0].GetProperty("logprob").GetDouble());
            Assert.True(top[0].GetProperty("logprob").GetDouble() >= top[1].GetProperty("logprob").GetDouble());
        });
        JsonElement none = await server.PostAsync(Path, Body("\"temperature\": 0, \"max_tokens\": 2, \"logprobs\": true"));
        Assert.Empty(Choice(none).GetProperty("logprobs").GetProperty("content")[0].GetProperty("top_logprobs").EnumerateArray());
    }

    [Theory]
    [InlineData("\"temperature\": 0, \"max_tokens\": 30")]
    [InlineData("\"seed\": 5")]
    [InlineData("\"seed\": 5, \"n\": 3, \"max_tokens\": 20, \"stop\": [\"the\"]")]
    [InlineData("\"seed\": 5, \"max_tokens\": 20, \"logprobs\": true, \"top_logprobs\": 1")]
    public async Task Events_put_together_are_the_whole_answer(string parameters)
    {
        JsonElement whole = await server.PostAsync(Path, Body(parameters));
        List<JsonElement> events = await server.StreamAsync(
            Path, Body(parameters + ", \"stream\": true, \"stream_options\": {\"include_usage\": true}"));

        Assert.All(events, part => Assert.Equal("chat.completion.chunk", part.GetProperty("object").GetString()));
        Assert.Single(events.Select(part => part.GetProperty("id").GetString()).Distinct());
        Assert.Equal(CompletionEndpointTests.Usage(whole), CompletionEndpointTests.Usage(events[^1]));
        foreach (JsonElement choice in whole.GetProperty("choices").EnumerateArray())
        {
            int index = choice.GetProperty("index").GetInt32();
            JsonElement[] parts = [.. events[..^1].Select(Choice).Where(part => part.GetProperty("index").GetInt32() == index)];
            JsonElement[] deltas = [.. parts.Select(part => part.GetProperty("delta"))];
            Assert.Equal("assistant", deltas[0].GetProperty("role").GetString());
            Assert.Equal(
                choice.GetProperty("message").GetProperty("content").GetString(),
                string.Concat(deltas.Select(delta => delta.TryGetProperty("content", out JsonElement content) ? content.GetString() : "")));
            Assert.Equal(choice.GetProperty("finish_reason").GetString(), parts[^1].GetProperty("finish_reason").GetString());
            if (choice.GetProperty("logprobs") is { ValueKind: JsonValueKind.Object } logprobs)
            {
                Assert.Equal(
                    logprobs.GetProperty("content").EnumerateArray().Select(token => token.GetRawText()),
                    parts.Where(part => part.TryGetProperty("logprobs", out _))
                        .SelectMany(part => part.GetProperty("logprobs").GetProperty("content").EnumerateArray())
                        .Select(token => token.GetRawText()));
            }
        }
    }

    [Fact]
    public async Task Events_tell_no_usage_unless_asked()
    {
        List<JsonElement> events = await server.StreamAsync(Path, Body("\"max_tokens\": 3, \"stream\": true"));
        Assert.All(events, part => Assert.False(part.TryGetProperty("usage", out _)));
        Assert.Equal(1 + 3 + 1, events.Count);
    }

    [Fact]
    public async Task A_model_without_a_template_says_so_and_still_completes()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("plain.gguf", EmbeddedModel.With("tokenizer.chat_template", "tokenizer.chat_nothing_"));
        await using RunningServer plain = await RunningServer.StartAsync(new Serve.Http.ServerOptions(), () => LanguageModel.Load(path));
        JsonElement error = (await plain.PostAsync(Path, Body("\"seed\": 1"), status: 400)).GetProperty("error");
        Assert.Equal("messages", error.GetProperty("param").GetString());
        Assert.Contains("no chat template", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        await plain.PostAsync("/v1/completions", "{\"prompt\": \"Once\"}");
    }

    private static string Body(string parameters) =>
        $"{{\"model\": \"{RunningServer.ModelId}\", \"messages\": [{{\"role\": \"user\", \"content\": \"{Question}\"}}], {parameters}}}";

    private static JsonElement Choice(JsonElement answer) => answer.GetProperty("choices")[0];

    private static string Content(JsonElement answer) => Choice(answer).GetProperty("message").GetProperty("content").GetString()!;
}
