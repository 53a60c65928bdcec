#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using System.Text;
using System.Text.Json;
using Pure.Engine;
using Pure.Engine.Models;

namespace Pure.Chat.Tests;

public sealed class LanguageModelTests(DefaultModel shared) : IClassFixture<DefaultModel>
{
    private const string Prompt = "Once upon a time";
    private static readonly TextOptions Greedy = new() { MaxTokens = 48, Temperature = 0 };
    private readonly LanguageModel _model = shared.Model;

    [Theory]
    [InlineData(ActivationType.F32)]
    [InlineData(ActivationType.Q8)]
    public async Task The_default_model_writes_the_reference_text(ActivationType activations)
    {
        using LanguageModel model = LanguageModel.LoadDefault(new ModelOptions { Threads = 2, Activations = activations });
        TextCompletion completion = model.GenerateAsync(Prompt, Greedy);
        (string text, int[] ids) = await Pieces(completion);
        Assert.Equal(DefaultModel.StoryTokens, ids);
        Assert.Equal(DefaultModel.Story, text);
        Assert.Equal([0, 439, 448, 274, 411], completion.PromptTokens);
        Assert.Equal(StopReason.MaxTokens, completion.StopReason);
        Assert.Equal((5, 48), (completion.Timings.PromptTokens, completion.Timings.GeneratedTokens));
    }

    [Fact]
    public async Task The_float_model_writes_the_ids_of_the_reference_for_every_prompt()
    {
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(Shared.Path("models", "stories-moe", "reference.json")));
        using LanguageModel model = LanguageModel.Load(Shared.Path("models", "stories-moe", "stories-moe-f32.gguf"));
        foreach (JsonElement prompt in reference.RootElement.GetProperty("prompts").EnumerateArray())
        {
            TextCompletion completion = model.GenerateAsync(prompt.GetProperty("prompt").GetString()!, Greedy);
            (string text, int[] ids) = await Pieces(completion);
            Assert.Equal(Integers(prompt.GetProperty("prompt_ids")), completion.PromptTokens);
            Assert.Equal(Integers(prompt.GetProperty("greedy_ids")), ids);
            Assert.Equal(prompt.GetProperty("greedy_text").GetString(), text);
        }

        static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];
    }

    [Fact]
    public async Task A_prompt_of_ids_is_continued_as_the_text_they_stand_for()
    {
        int[] ids = _model.EncodePrompt(Prompt);
        Assert.Equal([0, 439, 448, 274, 411], ids);
        TextCompletion completion = _model.GenerateAsync(ids, Greedy);
        (string text, int[] written) = await Pieces(completion);
        Assert.Equal(DefaultModel.Story, text);
        Assert.Equal(DefaultModel.StoryTokens, written);
        Assert.Equal(ids, completion.PromptTokens);
        foreach (int[] bad in new[] { [], [0, _model.Tokenizer.VocabularySize], new int[] { -1 } })
            Assert.Throws<InvalidRequestException>(() => _model.GenerateAsync(bad, Greedy));
    }

    [Fact]
    public async Task A_text_is_read_once_and_a_second_reader_does_not_disturb_the_first()
    {
        TextCompletion completion = _model.GenerateAsync(Prompt, Greedy);
        string text = "";
        await foreach (string piece in completion)
        {
            text += piece;
            await Assert.ThrowsAsync<InvalidOperationException>(() => Read(completion));
        }

        Assert.Equal(DefaultModel.Story, text);
    }

    [Fact]
    public async Task A_chat_prompt_is_parsed_unless_switched_off()
    {
        const string chat = "<|user|>Tell me a story about a little dog.<|assistant|>";
        TextCompletion parsed = _model.GenerateAsync(chat, Greedy);
        Assert.StartsWith("Once upon a time, there was a little dog named Spot.", await Read(parsed), StringComparison.Ordinal);
        Assert.Equal(2, parsed.PromptTokens[1]);
        TextCompletion literal = _model.GenerateAsync(chat, Greedy with { ParseSpecial = false });
        Assert.DoesNotContain(2, literal.PromptTokens);
    }

    [Fact]
    public async Task Streamed_text_is_what_the_tokens_decode_to()
    {
        for (ulong seed = 0; seed < 4; seed++)
        {
            // A flat distribution over all tokens writes bytes of every kind.
            var options = new TextOptions { MaxTokens = 120, Seed = seed, Temperature = 50, TopK = 0, TopP = 1, MinP = 0, IgnoreEndOfText = true };
            var pieces = new List<string>();
            var ids = new List<int>();
            await foreach (TextPiece piece in _model.GenerateAsync(Prompt, options).ReadPiecesAsync())
            {
                pieces.Add(piece.Text);
                if (piece.Token is { } token)
                    ids.Add(token.Id);
            }

            Assert.Equal(120, ids.Count);
            Assert.Equal(_model.Tokenizer.Decode(ids.ToArray()), string.Concat(pieces));
            Assert.All(pieces, piece => Assert.True(piece.Length == 0 || !char.IsHighSurrogate(piece[^1])));
        }
    }

    [Fact]
    public async Task Stop_strings_cut_the_text_wherever_tokens_end()
    {
        string text = DefaultModel.Story;
        foreach (int begin in Enumerable.Range(0, 24).Select(i => i * 7))
        {
            foreach (int length in new[] { 1, 3, 9 })
            {
                string stop = text.Substring(begin, length);
                TextCompletion completion = _model.GenerateAsync(Prompt, Greedy with { Stop = ["never", stop] });
                Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], await Read(completion));
                Assert.Equal(StopReason.StopString, completion.StopReason);
                Assert.Equal(stop, completion.StopString);
            }
        }
    }

    [Fact]
    public async Task Text_held_back_for_a_stop_string_comes_when_the_text_ends()
    {
        TextCompletion completion = _model.GenerateAsync(Prompt, Greedy with { Stop = ["Lily took her"] });
        Assert.Equal(DefaultModel.Story, await Read(completion));
        Assert.Equal(StopReason.MaxTokens, completion.StopReason);
        Assert.Null(completion.StopString);
    }

    [Fact]
    public async Task A_story_ends_with_its_end_token()
    {
        TextCompletion completion = _model.GenerateAsync(Prompt, new TextOptions { Seed = 1, Temperature = 0.7f });
        string text = await Read(completion);
        Assert.Equal(StopReason.EndOfText, completion.StopReason);
        Assert.DoesNotContain("<|", text, StringComparison.Ordinal);

        var longer = new TextOptions { Seed = 1, Temperature = 0.7f, IgnoreEndOfText = true, MaxTokens = completion.Timings.GeneratedTokens + 5 };
        TextCompletion ignoring = _model.GenerateAsync(Prompt, longer);
        Assert.StartsWith(text, await Read(ignoring), StringComparison.Ordinal);
        Assert.Equal(StopReason.MaxTokens, ignoring.StopReason);
    }

    [Fact]
    public async Task The_reported_seed_repeats_the_text()
    {
        TextCompletion first = _model.GenerateAsync(Prompt, new TextOptions { MaxTokens = 40 });
        TextCompletion second = _model.GenerateAsync(Prompt, new TextOptions { MaxTokens = 40 });
        string text = await Read(first);
        Assert.NotEqual(first.Seed, second.Seed);
        Assert.Equal(text, await Read(_model.GenerateAsync(Prompt, new TextOptions { MaxTokens = 40, Seed = first.Seed })));
    }

    [Fact]
    public async Task Texts_written_at_once_are_those_written_alone()
    {
        (string Prompt, TextOptions Options)[] requests =
        [
            (Prompt, Greedy),
            ("Tom and his dog", new TextOptions { MaxTokens = 40, Seed = 3 }),
            ("One day, a little girl named Lily", new TextOptions { MaxTokens = 25, Seed = 4, RepetitionPenalty = 1.2f }),
            ("<|user|>Tell me a story about a boat.<|assistant|>", new TextOptions { MaxTokens = 30, Seed = 5, Stop = ["\n"] }),
        ];
        var alone = new List<string>();
        foreach ((string prompt, TextOptions options) in requests)
            alone.Add(await Read(_model.GenerateAsync(prompt, options)));
        Assert.Equal(alone, await Task.WhenAll(requests.Select(request => Read(_model.GenerateAsync(request.Prompt, request.Options)))));
    }

    [Fact]
    public async Task A_session_continues_where_it_was()
    {
        using TextSession session = _model.CreateSession();
        string first = await Read(session.GenerateAsync(Prompt, Greedy with { MaxTokens = 10 }));
        TextCompletion next = session.GenerateAsync(" One day", Greedy with { MaxTokens = 10 });
        string second = await Read(next);
        Assert.DoesNotContain(0, next.PromptTokens);
        Assert.Equal(second, await Read(_model.GenerateAsync(Prompt + first + " One day", Greedy with { MaxTokens = 10 })));
        session.Clear();
        Assert.Equal(first, await Read(session.GenerateAsync(Prompt, Greedy with { MaxTokens = 10 })));
    }

    [Fact]
    public async Task Cancelling_stops_the_text()
    {
        using var cancellation = new CancellationTokenSource();
        TextCompletion completion = _model.GenerateAsync(Prompt, Greedy, cancellation.Token);
        int seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (TextPiece _ in completion.ReadPiecesAsync())
            {
                if (++seen == 3)
                    await cancellation.CancelAsync();
            }
        });
        Assert.Equal(3, seen);
        Assert.Equal(StopReason.Cancelled, completion.StopReason);

        completion = _model.GenerateAsync(Prompt, Greedy);
        await foreach (string _ in completion)
            break;
        Assert.Equal(StopReason.Cancelled, completion.StopReason);
    }

    [Fact]
    public async Task Disposing_the_model_ends_its_texts_with_a_clear_error()
    {
        LanguageModel model = LanguageModel.LoadDefault(new ModelOptions { Threads = 1 });
        TextCompletion completion = model.GenerateAsync(Prompt, Greedy);
        var exception = await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
        {
            await foreach (string _ in completion)
                model.Dispose();
        });
        Assert.Contains("Model", exception.Message, StringComparison.Ordinal);
        Assert.Null(completion.StopReason);
        Assert.Throws<ObjectDisposedException>(() => model.GenerateAsync(Prompt));
    }

    [Fact]
    public async Task Unpaired_surrogates_in_a_prompt_count_as_replacement_characters()
    {
        var options = new TextOptions { MaxTokens = 5, Temperature = 0 };
        TextCompletion broken = _model.GenerateAsync("A cat \ud83d ran", options);
        TextCompletion replaced = _model.GenerateAsync("A cat \ufffd ran", options);
        Assert.Equal(replaced.PromptTokens, broken.PromptTokens);
        Assert.Equal(await Read(replaced), await Read(broken));
    }

    [Fact]
    public void Bad_requests_are_refused_before_anything_is_computed()
    {
        Assert.Contains("512", Refuse(new StringBuilder().Insert(0, " story", 600).ToString(), Greedy).Message, StringComparison.Ordinal);
        Assert.Contains("temperature", Refuse(Prompt, Greedy with { Temperature = -1 }).Message, StringComparison.Ordinal);
        Assert.Contains("stop string", Refuse(Prompt, Greedy with { Stop = [""] }).Message, StringComparison.Ordinal);
        Assert.Contains("-3 tokens", Refuse(Prompt, Greedy with { MaxTokens = -3 }).Message, StringComparison.Ordinal);
        Assert.Contains("513", Refuse(Prompt, Greedy with { ContextLength = 513 }).Message, StringComparison.Ordinal);
        using TextSession session = _model.CreateSession();
        Assert.Single(session.GenerateAsync("", Greedy).PromptTokens); // BOS alone begins any story

        InvalidRequestException Refuse(string prompt, TextOptions options) =>
            Assert.Throws<InvalidRequestException>(() => _model.GenerateAsync(prompt, options));
    }

    [Fact]
    public async Task A_prompt_without_tokens_is_refused()
    {
        using TextSession session = _model.CreateSession();
        await Read(session.GenerateAsync(Prompt, Greedy with { MaxTokens = 1 }));
        Assert.Contains("no tokens", Assert.Throws<InvalidRequestException>(() => session.GenerateAsync("", Greedy)).Message, StringComparison.Ordinal);
    }

    private static async Task<string> Read(IAsyncEnumerable<string> pieces)
    {
        var text = new StringBuilder();
        await foreach (string piece in pieces)
        {
            Assert.NotEmpty(piece);
            text.Append(piece);
        }

        return text.ToString();
    }

    private static async Task<(string Text, int[] Ids)> Pieces(TextCompletion completion)
    {
        var text = new StringBuilder();
        var ids = new List<int>();
        await foreach (TextPiece piece in completion.ReadPiecesAsync())
        {
            text.Append(piece.Text);
            if (piece.Token is { } token)
                ids.Add(token.Id);
        }

        return (text.ToString(), [.. ids]);
    }
}
