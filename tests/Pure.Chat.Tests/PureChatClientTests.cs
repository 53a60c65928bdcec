#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using System.Text.Json;
using Microsoft.Extensions.AI;
using Pure.Chat.Templates;
using Pure.Engine;
using Pure.Engine.Generation;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using Turn = Pure.Chat.Templates.ChatMessage;

namespace Pure.Chat.Tests;

public sealed class PureChatClientTests : IClassFixture<DefaultModel>, IDisposable
{
    private const string Question = "Tell me a story about a little dog.";
    private static readonly ChatOptions Greedy = new() { Temperature = 0, MaxOutputTokens = 40 };
    private readonly LanguageModel _model;
    private readonly PureChatClient _client;

    public PureChatClientTests(DefaultModel shared)
    {
        _model = shared.Model;
        _client = new PureChatClient(_model, new SchedulerOptions { CachePositions = 2048 });
    }

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task An_answer_is_what_the_model_writes_after_its_template()
    {
        ChatResponse response = await _client.GetResponseAsync(Question, Greedy);
        Assert.Equal(await ByHand(new Turn("user", Question)), response.Text);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal((13, 40, 53), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount, response.Usage.TotalTokenCount));
        Assert.Equal(ChatRole.Assistant, Assert.Single(response.Messages).Role);
        Assert.Equal(_model.Model.Info.Name, response.ModelId);
    }

    [Fact]
    public async Task Streamed_updates_are_the_same_answer()
    {
        List<ChatResponseUpdate> updates = [];
        await foreach (ChatResponseUpdate update in _client.GetStreamingResponseAsync(Question, Greedy))
            updates.Add(update);
        ChatResponse streamed = updates.ToChatResponse();
        ChatResponse whole = await _client.GetResponseAsync(Question, Greedy);
        Assert.True(updates.Count > 10);
        Assert.Equal((whole.Text, whole.FinishReason, whole.Usage!.OutputTokenCount), (streamed.Text, streamed.FinishReason, streamed.Usage!.OutputTokenCount));
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
    }

    [Fact]
    public async Task A_conversation_goes_on_and_instructions_come_first()
    {
        ChatMessage[] turns = [new(ChatRole.User, Question), new(ChatRole.Assistant, "Once."), new(ChatRole.User, "Go on.")];
        ChatResponse response = await _client.GetResponseAsync(turns, Greedy);
        Assert.Equal(await ByHand(new Turn("user", Question), new Turn("assistant", "Once."), new Turn("user", "Go on.")), response.Text);
    }

    [Fact]
    public async Task Many_ask_at_once_and_each_gets_the_answer_it_gets_alone()
    {
        ChatOptions[] options = [.. Enumerable.Range(0, 12).Select(seed => new ChatOptions { Seed = seed, MaxOutputTokens = 30 })];
        ChatResponse[] together = await Task.WhenAll(options.Select(option => _client.GetResponseAsync(Question, option)));
        for (int index = 0; index < options.Length; index++)
            Assert.Equal((await _client.GetResponseAsync(Question, options[index])).Text, together[index].Text);
        Assert.True(together.Select(response => response.Text).Distinct().Count() > 6);
    }

    [Fact]
    public async Task Stop_sequences_end_an_answer_and_cancelling_throws()
    {
        ChatResponse response = await _client.GetResponseAsync(Question, new ChatOptions { Temperature = 0, StopSequences = ["dog"] });
        Assert.EndsWith("little ", response.Text, StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _client.GetResponseAsync(Question, Greedy, cancelled.Token));
    }

    [Fact]
    public async Task Answers_are_of_the_form_that_is_asked_for()
    {
        using JsonDocument schema = JsonDocument.Parse("""{"type": "object", "properties": {"age": {"type": "integer", "minimum": 1, "maximum": 20}}, "required": ["age"], "additionalProperties": false}""");
        for (int seed = 0; seed < 5; seed++)
        {
            var options = new ChatOptions { Seed = seed, ResponseFormat = ChatResponseFormat.ForJsonSchema(schema.RootElement) };
            ChatResponse response = await _client.GetResponseAsync(Question, options);
            using JsonDocument answer = JsonDocument.Parse(response.Text);
            Assert.InRange(answer.RootElement.GetProperty("age").GetInt32(), 1, 20);
        }
    }

    [Fact]
    public async Task What_is_not_built_is_refused_and_nothing_is_passed_over()
    {
        await Assert.ThrowsAsync<NotSupportedException>(
            () => _client.GetResponseAsync(Question, new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "one")] }));
        await Assert.ThrowsAsync<NotSupportedException>(
            () => _client.GetResponseAsync([new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])]));
        await Assert.ThrowsAsync<InvalidRequestException>(() => _client.GetResponseAsync([]));
        await Assert.ThrowsAsync<InvalidRequestException>(() => _client.GetResponseAsync(Question, new ChatOptions { TopP = 7 }));
    }

    [Fact]
    public void Services_are_found()
    {
        Assert.Same(_client, _client.GetService<IChatClient>());
        Assert.Same(_model, _client.GetService<LanguageModel>());
        Assert.Equal("pure", _client.GetService<ChatClientMetadata>()!.ProviderName);
        Assert.Null(_client.GetService<string>());
    }

    private Task<string> ByHand(params Turn[] turns) => _model.GenerateAsync(
        ModelTemplate.Find(_model)!.Render(turns), new TextOptions { Temperature = 0, MaxTokens = 40 }).ReadAsync();
}
