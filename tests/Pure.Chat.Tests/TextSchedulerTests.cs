#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using Pure.Engine;
using Pure.Engine.Generation;

namespace Pure.Chat.Tests;

public sealed class TextSchedulerTests(DefaultModel shared) : IClassFixture<DefaultModel>
{
    private readonly LanguageModel _model = shared.Model;

    [Fact]
    public async Task Texts_written_together_are_those_written_alone()
    {
        string[] prompts = ["Once upon a time", "The dog", "Lily and Tom went to the park. They saw a big slide.", "", "Once upon a time"];
        using TextScheduler scheduler = _model.CreateScheduler(new SchedulerOptions { CachePositions = 2048 });
        (string Prompt, TextOptions Options)[] texts = [.. Enumerable.Range(0, 30).Select(text => (
            prompts[text % prompts.Length],
            new TextOptions { MaxTokens = 20 + text, Seed = (ulong)text, Stop = text % 3 == 0 ? ["the", " big"] : [] }))];
        TextCompletion[] together = [.. texts.Select(text => scheduler.GenerateAsync(text.Prompt, text.Options))];
        string[] written = await Task.WhenAll(together.Select(text => text.ReadAsync()));
        for (int text = 0; text < texts.Length; text++)
        {
            TextCompletion alone = _model.GenerateAsync(texts[text].Prompt, texts[text].Options);
            Assert.Equal(await alone.ReadAsync(), written[text]);
            Assert.Equal((alone.StopReason, alone.StopString, alone.Seed), (together[text].StopReason, together[text].StopString, together[text].Seed));
        }
    }

    [Fact]
    public async Task A_text_is_read_once_and_a_second_reader_does_not_disturb_the_first()
    {
        using TextScheduler scheduler = _model.CreateScheduler();
        TextCompletion completion = scheduler.GenerateAsync("Once upon a time", new TextOptions { MaxTokens = 48, Temperature = 0 });
        string text = "";
        await foreach (string piece in completion)
        {
            text += piece;
            await Assert.ThrowsAsync<InvalidOperationException>(() => completion.ReadAsync());
        }

        Assert.Equal(DefaultModel.Story, text);
    }

    [Fact]
    public async Task The_same_beginning_is_not_read_again()
    {
        using TextScheduler scheduler = _model.CreateScheduler();
        string story = string.Concat(Enumerable.Repeat(DefaultModel.Story, 2));
        TextCompletion first = scheduler.GenerateAsync(story, new TextOptions { MaxTokens = 1 });
        await first.ReadAsync();
        TextCompletion second = scheduler.GenerateAsync(story + " The end.", new TextOptions { MaxTokens = 1 });
        await second.ReadAsync();
        Assert.Equal(0, first.CachedTokens);
        Assert.InRange(second.CachedTokens, 64, first.PromptTokens.Count);
    }

    [Fact]
    public void What_only_a_session_can_do_is_refused()
    {
        using TextScheduler scheduler = _model.CreateScheduler(new SchedulerOptions { ContextLength = 64 });
        Assert.Equal(64, scheduler.ContextLength);
        Assert.Throws<InvalidRequestException>(() => scheduler.GenerateAsync("Once", new TextOptions { Speculation = Speculation.NextTokens }));
        Assert.Throws<InvalidRequestException>(() => scheduler.GenerateAsync("Once", new TextOptions { ShiftKeep = 0 }));
    }
}
