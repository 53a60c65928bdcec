#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using Pure.Engine.Generation;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Generation;

public sealed class SessionTests : IDisposable
{
    private static readonly string DefaultModel =
        Path.Combine(Repository.Root, "chat", "Models", "stories-moe", "stories-moe-q8_0.gguf");

    private static readonly int[] OnceUponATime = [0, 439, 448, 274, 411];
    private static readonly SamplingOptions Sampled = new() { Seed = 7, RepetitionPenalty = 1.1f, PresencePenalty = 0.1f };
    private readonly Model _model = Model.Load(DefaultModel, new ModelOptions { Threads = 2 });

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task A_greedy_text_is_the_same_streamed_and_read_synchronously()
    {
        int[] synchronous = Read(_model, OnceUponATime, Greedy(40));
        using var session = new Session(_model);
        Assert.Equal(synchronous, await Stream(session.Generate(OnceUponATime, Greedy(40))));
        Assert.Equal(40, synchronous.Length);
        Assert.Equal(OnceUponATime.Length + 40, session.Length);
    }

    [Fact]
    public void Equal_seeds_give_equal_tokens_and_others_different_ones()
    {
        var options = new GenerationOptions { MaxTokens = 60, Sampling = Sampled };
        int[] tokens = Read(_model, OnceUponATime, options);
        Assert.Equal(tokens, Read(_model, OnceUponATime, options));
        Assert.NotEqual(tokens, Read(_model, OnceUponATime, options with { Sampling = Sampled with { Seed = 8 } }));
        Assert.NotEqual(tokens, Read(_model, OnceUponATime, options with { Sampling = Sampled with { Sequence = 1 } }));
    }

    [Fact]
    public void Neither_chunks_nor_threads_change_a_logit()
    {
        int[] prompt = [.. Enumerable.Range(0, 150).Select(i => 16 + (i * 37 % 2000))];
        float[] expected = Logits(_model, prompt, null);
        foreach (int chunk in new[] { 1, 7, 64, 149, 150, 512 })
            Assert.Equal(expected, Logits(_model, prompt, chunk));

        using Model other = Model.Load(DefaultModel, new ModelOptions { Threads = 3, MaxBatchRows = 33 });
        Assert.Equal(expected, Logits(other, prompt, null));

        static float[] Logits(Model model, int[] prompt, int? chunk)
        {
            var logits = new List<float>();
            Read(model, prompt, new GenerationOptions
            {
                MaxTokens = 5,
                Sampling = Sampled,
                PromptChunk = chunk,
                LogitsObserver = (_, row) => logits.AddRange(row),
            });
            Assert.Equal(5 * model.Info.VocabularySize, logits.Count);
            return [.. logits];
        }
    }

    [Fact]
    public void A_second_prompt_continues_the_first()
    {
        int[] more = [60, 415, 298];
        using var session = new Session(_model);
        int[] first = Read(session.Generate(OnceUponATime, Greedy(10)));
        int[] second = Read(session.Generate(more, Greedy(10)));

        Assert.Equal(second, Read(_model, [.. OnceUponATime, .. first, .. more], Greedy(10)));
        Assert.Equal(OnceUponATime.Length + 23, session.Length);

        session.Clear();
        Assert.Equal(first, Read(session.Generate(OnceUponATime, Greedy(10))));
    }

    [Fact]
    public void A_sampled_text_does_not_depend_on_how_it_was_asked_for()
    {
        var options = new GenerationOptions { MaxTokens = 20, Sampling = Sampled };
        int[] whole = Read(_model, OnceUponATime, options);
        using var session = new Session(_model);
        int[] begin = Read(session.Generate(OnceUponATime, options with { MaxTokens = 9 }));
        int[] tail = Read(_model, [.. OnceUponATime, .. begin], options with { MaxTokens = 11 });
        Assert.Equal(whole, begin.Concat(tail));
    }

    [Fact]
    public async Task Interleaved_sessions_write_what_they_write_alone()
    {
        var options = new GenerationOptions { MaxTokens = 30, Sampling = Sampled, PromptChunk = 2 };
        int[][] prompts = [OnceUponATime, [0, 500, 600, 700], [0, 300]];
        int[][] alone = [.. prompts.Select(prompt => Read(_model, prompt, options))];
        int[][] together = await Task.WhenAll(prompts.Select(async prompt =>
        {
            using var session = new Session(_model);
            return await Stream(session.Generate(prompt, options));
        }));
        Assert.Equal(alone, together);
    }

    [Fact]
    public void A_stop_token_ends_the_text_and_is_not_in_it()
    {
        int[] text = Read(_model, OnceUponATime, Greedy(10));
        using var session = new Session(_model);
        Completion completion = session.Generate(OnceUponATime, Greedy(10) with { StopTokens = [text[4]] });
        int[] stopped = Read(completion);
        Assert.Equal(text[..Array.IndexOf(text, text[4])], stopped);
        Assert.Equal(FinishReason.EndToken, completion.FinishReason);
        Assert.Equal(text[4], completion.EndToken);
        Assert.Equal(stopped.Length + 1, completion.Timings.GeneratedTokens);
        Assert.Equal(OnceUponATime.Length + stopped.Length + 1, session.Length);
    }

    [Fact]
    public void A_full_context_ends_the_text()
    {
        using var session = new Session(_model, contextLength: 12);
        Completion completion = session.Generate(OnceUponATime, new GenerationOptions { Sampling = SamplingOptions.Greedy });
        Assert.Equal(8, Read(completion).Length); // the last one follows position 12 and needs no place
        Assert.Equal(FinishReason.ContextFull, completion.FinishReason);
        Assert.Contains("13", Assert.Throws<InvalidRequestException>(() => session.Generate([1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Asking_for_no_tokens_reads_the_prompt()
    {
        using var session = new Session(_model);
        Completion completion = session.Generate(OnceUponATime, Greedy(0));
        Assert.Empty(Read(completion));
        Assert.Equal(FinishReason.MaxTokens, completion.FinishReason);
        Assert.Equal(OnceUponATime.Length, completion.Timings.PromptTokens);
        Assert.Equal(Read(_model, [.. OnceUponATime, 60], Greedy(5)), Read(session.Generate([60], Greedy(5))));
    }

    [Fact]
    public void Cancelling_stops_before_the_next_token_and_leaves_the_session_usable()
    {
        int[] whole = Read(_model, OnceUponATime, Greedy(20));
        using var session = new Session(_model);
        using var cancellation = new CancellationTokenSource();
        Completion completion = session.Generate(OnceUponATime, Greedy(20), cancellation.Token);
        for (int index = 0; index < 7; index++)
            Assert.True(completion.TryNext(out _));
        cancellation.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => completion.TryNext(out _));
        Assert.Equal(FinishReason.Cancelled, completion.FinishReason);
        Assert.False(completion.TryNext(out _));
        Assert.Equal(OnceUponATime.Length + 7, session.Length);

        session.Clear();
        Assert.Equal(whole, Read(session.Generate(OnceUponATime, Greedy(20))));
    }

    [Fact]
    public async Task Cancelling_a_stream_stops_it_within_one_token()
    {
        using var session = new Session(_model);
        using var cancellation = new CancellationTokenSource();
        int seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (GeneratedToken _ in session.Generate(OnceUponATime, Greedy(100)).WithCancellation(cancellation.Token))
            {
                if (++seen == 5)
                    await cancellation.CancelAsync();
            }
        });
        Assert.Equal(5, seen);
        Assert.Equal(3, Read(session.Generate([60], Greedy(3))).Length);
    }

    [Fact]
    public void A_prompt_cancelled_between_chunks_is_forgotten()
    {
        int[] whole = Read(_model, OnceUponATime, Greedy(5));
        using var session = new Session(_model);
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        Completion cancelled = session.Generate([.. Enumerable.Range(16, 99)], Greedy(5), cancellation.Token);
        Assert.ThrowsAny<OperationCanceledException>(() => cancelled.TryNext(out _));
        Assert.Equal(0, session.Length);

        // A failure after the prompt was read: every token is banned.
        var none = Enumerable.Range(0, _model.Info.VocabularySize).ToDictionary(id => id, _ => float.NegativeInfinity);
        Completion failing = session.Generate([5, 6], Greedy(5) with { Sampling = SamplingOptions.Greedy with { LogitBias = none } });
        Assert.Throws<InvalidRequestException>(() => failing.TryNext(out _));
        Assert.Null(failing.FinishReason);
        Assert.Equal(whole, Read(session.Generate(OnceUponATime, Greedy(5))));
    }

    [Fact]
    public async Task Leaving_the_loop_frees_the_session()
    {
        using var session = new Session(_model);
        Completion first = session.Generate(OnceUponATime, Greedy(50));
        await foreach (GeneratedToken _ in first)
            break;
        Assert.Equal(FinishReason.Cancelled, first.FinishReason);
        Assert.Equal(OnceUponATime.Length + 1, session.Length);
        Assert.Equal(3, Read(session.Generate([60], Greedy(3))).Length);
    }

    [Fact]
    public async Task A_second_completion_at_once_is_an_error()
    {
        using var session = new Session(_model);
        Completion first = session.Generate(OnceUponATime, Greedy(5));
        Completion second = session.Generate(OnceUponATime, Greedy(5));
        Assert.True(first.TryNext(out _));
        Assert.Contains("second session", Assert.Throws<InvalidOperationException>(() => second.TryNext(out _)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(session.Clear);
        Assert.Equal(4, Read(first).Length);

        Completion streamed = session.Generate([60], Greedy(2));
        Assert.Equal(2, (await Stream(streamed)).Length);
        Assert.Throws<InvalidOperationException>(() => streamed.GetAsyncEnumerator(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Disposing_session_or_model_in_the_middle_fails_clearly()
    {
        var session = new Session(_model);
        Completion completion = session.Generate(OnceUponATime, Greedy(5));
        Assert.True(completion.TryNext(out _));
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => completion.TryNext(out _));
        Assert.Throws<ObjectDisposedException>(() => session.Generate([1]));

        using var second = new Session(_model);
        completion = second.Generate(OnceUponATime, Greedy(5));
        Assert.True(completion.TryNext(out _));
        _model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => completion.TryNext(out _));
    }

    [Fact]
    public void Bad_requests_are_refused_with_the_numbers_that_matter()
    {
        using var session = new Session(_model);
        Refuses("no tokens", []);
        Refuses("513 tokens", new int[513]);
        Refuses("512", new int[513]);
        Refuses("2048", [2048]);
        Refuses("-1", [-1]);
        Refuses("2048", [1], new GenerationOptions { StopTokens = [2048] });
        Refuses("-1 tokens", [1], new GenerationOptions { MaxTokens = -1 });
        Refuses("chunk is 0", [1], new GenerationOptions { PromptChunk = 0 });
        Refuses("chunk is 513", [1], new GenerationOptions { PromptChunk = 513 });
        Refuses("temperature", [1], new GenerationOptions { Sampling = new SamplingOptions { Temperature = -1 } });
        Assert.Contains("513", Assert.Throws<InvalidRequestException>(() => new Session(_model, 513)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidRequestException>(() => new Session(_model, 0));

        void Refuses(string words, int[] prompt, GenerationOptions? options = null) => Assert.Contains(
            words, Assert.Throws<InvalidRequestException>(() => session.Generate(prompt, options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Log_probabilities_come_when_asked_for()
    {
        using var session = new Session(_model);
        float[] logits = [];
        var options = new GenerationOptions
        {
            MaxTokens = 1,
            Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 3 },
            LogitsObserver = (position, row) => logits = position == OnceUponATime.Length ? row.ToArray() : [],
        };
        Assert.True(session.Generate(OnceUponATime, options).TryNext(out GeneratedToken token));
        Assert.Equal(ReferenceSampler.LogSoftmax(logits, token.Id), token.LogProbability!.Value, 1e-12);
        Assert.Equal(3, token.Alternatives.Length);
        Assert.Equal(token.Id, token.Alternatives.Span[0].Id);
        Assert.Equal(0, token.Index);
    }

    [Fact]
    public void Timings_tell_what_was_done()
    {
        using var session = new Session(_model);
        Completion completion = session.Generate(OnceUponATime, Greedy(10));
        Assert.Equal(default, completion.Timings);
        Read(completion);
        GenerationTimings timings = completion.Timings;
        Assert.Equal((5, 10), (timings.PromptTokens, timings.GeneratedTokens));
        Assert.True(timings.PromptTime > TimeSpan.Zero && timings.GenerationTime > TimeSpan.Zero);
        Assert.Equal(9 / timings.GenerationTime.TotalSeconds, timings.TokensPerSecond, 1e-9);
    }

    private static GenerationOptions Greedy(int count) => new() { MaxTokens = count, Sampling = SamplingOptions.Greedy };

    private static int[] Read(Model model, int[] prompt, GenerationOptions options)
    {
        using var session = new Session(model);
        return Read(session.Generate(prompt, options));
    }

    private static int[] Read(Completion completion)
    {
        var ids = new List<int>();
        while (completion.TryNext(out GeneratedToken token))
            ids.Add(token.Id);
        return [.. ids];
    }

    private static async Task<int[]> Stream(Completion completion)
    {
        var ids = new List<int>();
        await foreach (GeneratedToken token in completion)
            ids.Add(token.Id);
        return [.. ids];
    }
}
