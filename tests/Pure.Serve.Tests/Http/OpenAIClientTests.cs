#pragma warning disable xUnit1051 // the tests are short
using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;
using Pure.Chat;
using Pure.Serve.Http;
using ChatMessage = OpenAI.Chat.ChatMessage;

namespace Pure.Serve.Tests.Http;

/// <summary>The server, seen by OpenAI's own client for .NET.</summary>
public sealed class OpenAIClientTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string Question = "Tell me a story about a little dog.";
    private static readonly ChatMessage[] Messages = [new UserChatMessage(Question)];

    [Fact]
    public async Task Chat_answers_with_text_usage_and_reason()
    {
        ChatCompletion answer = await Client().CompleteChatAsync(
            [new SystemChatMessage("Be kind."), new UserChatMessage(ChatMessageContentPart.CreateTextPart(Question))],
            new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 20 });
        Assert.Equal(ChatMessageRole.Assistant, answer.Role);
        Assert.NotEmpty(answer.Content[0].Text);
        Assert.Equal(ChatFinishReason.Length, answer.FinishReason);
        Assert.Equal(20, answer.Usage.OutputTokenCount);
        Assert.Equal(answer.Usage.InputTokenCount + 20, answer.Usage.TotalTokenCount);
        Assert.Equal(RunningServer.ModelId, answer.Model);
        Assert.Equal(DateTimeOffset.UtcNow, answer.CreatedAt, TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Streaming_gives_the_same_text_piece_by_piece()
    {
        var options = new ChatCompletionOptions { Seed = 5, MaxOutputTokenCount = 30 };
        ChatCompletion whole = await Client().CompleteChatAsync(Messages, options);
        var text = new StringBuilder();
        ChatFinishReason? reason = null;
        ChatTokenUsage? usage = null;
        int pieces = 0;
        await foreach (StreamingChatCompletionUpdate update in Client().CompleteChatStreamingAsync(Messages, options))
        {
            foreach (ChatMessageContentPart part in update.ContentUpdate)
                text.Append(part.Text);
            pieces++;
            reason ??= update.FinishReason;
            usage ??= update.Usage;
        }

        Assert.Equal(whole.Content[0].Text, text.ToString());
        Assert.Equal(whole.FinishReason, reason);
        Assert.Equal(whole.Usage.TotalTokenCount, usage?.TotalTokenCount);
        Assert.True(pieces > 20, $"{pieces} pieces");
    }

    [Fact]
    public async Task A_stream_can_be_left()
    {
        await foreach (StreamingChatCompletionUpdate update in Client().CompleteChatStreamingAsync(Messages))
        {
            if (update.ContentUpdate.Count > 0)
                break;
        }

        Assert.NotEmpty((await Client().CompleteChatAsync(Messages, new ChatCompletionOptions { MaxOutputTokenCount = 2 })).Value.Content);
    }

    [Fact]
    public async Task Log_probabilities_are_read()
    {
        ChatCompletion answer = await Client().CompleteChatAsync(
            Messages,
            new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 8, IncludeLogProbabilities = true, TopLogProbabilityCount = 3 });
        Assert.Equal(8, answer.ContentTokenLogProbabilities.Count);
        Assert.Equal(answer.Content[0].Text, string.Concat(answer.ContentTokenLogProbabilities.Select(token => token.Token)));
        Assert.All(answer.ContentTokenLogProbabilities, token =>
        {
            Assert.Equal(3, token.TopLogProbabilities.Count);
            Assert.Equal(token.LogProbability, token.TopLogProbabilities[0].LogProbability);
            Assert.Equal(token.Token, Encoding.UTF8.GetString(token.Utf8Bytes!.Value.Span));
        });
    }

    [Fact]
    public async Task Stop_texts_end_it()
    {
        var options = new ChatCompletionOptions { Temperature = 0, StopSequences = { "\n\n", " dog" } };
        ChatCompletion answer = await Client().CompleteChatAsync(Messages, options);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.DoesNotContain(" dog", answer.Content[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_seed_and_all_other_options_repeat_a_text()
    {
        var options = new ChatCompletionOptions
        {
            Seed = 12,
            Temperature = 1.3f,
            TopP = 0.9f,
            PresencePenalty = 0.5f,
            FrequencyPenalty = 0.5f,
            MaxOutputTokenCount = 20,
            LogitBiases = { [300] = -100 },
            EndUserId = "somebody",
        };
        ChatCompletion first = await Client().CompleteChatAsync(Messages, options);
        ChatCompletion second = await Client().CompleteChatAsync(Messages, options);
        Assert.Equal(first.Content[0].Text, second.Content[0].Text);

        string prompt = Pure.Chat.Templates.ModelTemplate.Find(server.Model)!.Render([new Pure.Chat.Templates.ChatMessage("user", Question)]);
        Assert.Equal(
            await server.WriteAsync(prompt, new TextOptions
            {
                Seed = 12,
                Temperature = 1.3f,
                TopP = 0.9f,
                PresencePenalty = 0.5f,
                FrequencyPenalty = 0.5f,
                MaxTokens = 20,
                LogitBias = new Dictionary<int, float> { [300] = -100 },
            }),
            first.Content[0].Text);
    }

    [Fact]
    public async Task Errors_have_their_status_and_sentence()
    {
        ClientResultException unknown = await Assert.ThrowsAsync<ClientResultException>(() => Client("gpt-9").CompleteChatAsync(Messages));
        Assert.Equal(404, unknown.Status);
        Assert.Contains("no model 'gpt-9'", unknown.Message, StringComparison.Ordinal);
        ClientResultException negative = await Assert.ThrowsAsync<ClientResultException>(
            () => Client().CompleteChatAsync(Messages, new ChatCompletionOptions { Temperature = -1 }));
        Assert.Equal(400, negative.Status);
        Assert.Contains("temperature", negative.Message, StringComparison.Ordinal);
        ClientResultException tools = await Assert.ThrowsAsync<ClientResultException>(
            () => Client().CompleteChatAsync(Messages, new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("f") } }));
        Assert.Contains("tools", tools.Message, StringComparison.Ordinal);
        var strange = ChatResponseFormat.CreateJsonSchemaFormat("x", BinaryData.FromString("""{"type": "object", "if": {}}"""));
        ClientResultException schema = await Assert.ThrowsAsync<ClientResultException>(
            () => Client().CompleteChatAsync(Messages, new ChatCompletionOptions { ResponseFormat = strange }));
        Assert.Contains("'if'", schema.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_are_of_the_schema_that_is_asked_for()
    {
        const string Schema = """
            {"type": "object", "properties": {"animal": {"enum": ["cat", "dog"]}, "age": {"type": "integer", "minimum": 1, "maximum": 20}},
             "required": ["animal", "age"], "additionalProperties": false}
            """;
        var format = ChatResponseFormat.CreateJsonSchemaFormat("pet", BinaryData.FromString(Schema), jsonSchemaIsStrict: true);
        for (int seed = 0; seed < 5; seed++)
        {
#pragma warning disable OPENAI001 // its name for what is tried out
            ClientResult<ChatCompletion> answer = await Client().CompleteChatAsync(
                Messages, new ChatCompletionOptions { ResponseFormat = format, Temperature = 1.5f, Seed = seed });
#pragma warning restore OPENAI001
            JsonElement pet = RunningServer.Parse(answer.Value.Content[0].Text);
            Assert.Contains(pet.GetProperty("animal").GetString(), new[] { "cat", "dog" });
            Assert.InRange(pet.GetProperty("age").GetInt32(), 1, 20);
            Assert.Equal(ChatFinishReason.Stop, answer.Value.FinishReason);
        }
    }

    [Fact]
    public async Task Keys_are_asked_for()
    {
        ApiKeys keys = ApiKeys.Read(["sesame"], null, null, new CommandStreams(Stream.Null, Stream.Null, Stream.Null));
        await using RunningServer locked = await RunningServer.StartAsync(new ServerOptions { Keys = keys });
        ChatCompletion answer = await Client(locked, "sesame").CompleteChatAsync(Messages, new ChatCompletionOptions { MaxOutputTokenCount = 2 });
        Assert.NotEmpty(answer.Content);
        ClientResultException refused = await Assert.ThrowsAsync<ClientResultException>(() => Client(locked, "wrong").CompleteChatAsync(Messages));
        Assert.Equal(401, refused.Status);
    }

    [Fact]
    public async Task Models_are_listed()
    {
        var models = new OpenAIModelClient(new ApiKeyCredential("any"), Options(server));
        OpenAIModel model = Assert.Single((await models.GetModelsAsync()).Value);
        Assert.Equal(RunningServer.ModelId, model.Id);
        Assert.Equal("pure", (await models.GetModelAsync(RunningServer.ModelId)).Value.OwnedBy);
    }

    private ChatClient Client(string model = RunningServer.ModelId) => Client(server, "any", model);

    private static ChatClient Client(RunningServer server, string key, string model = RunningServer.ModelId) =>
        new(model, new ApiKeyCredential(key), Options(server));

    private static OpenAIClientOptions Options(RunningServer server) => new()
    {
        Endpoint = new Uri(server.Client.BaseAddress!, "/v1"),
        RetryPolicy = new ClientRetryPolicy(0),
    };
}
