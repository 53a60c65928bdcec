#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using Pure.Engine.Generation;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Tests.Generation;

public sealed class SchedulerTests : IDisposable
{
    private const int BlockPositions = KvCache.BlockPositions;
    private static readonly string DefaultModel =
        Path.Combine(Repository.Root, "chat", "Models", "stories-moe", "stories-moe-q8_0.gguf");

    private readonly Model _model = Model.Load(DefaultModel, new ModelOptions { Threads = 2 });

    public static TheoryData<string, SchedulerOptions, LatentForm> Ways => new()
    {
        { "room for all", new SchedulerOptions { CachePositions = 17 * 512 }, LatentForm.Absorbed },
        { "room for two", new SchedulerOptions { CachePositions = 1024, ContextLength = 512 }, LatentForm.Absorbed },
        { "room for one", new SchedulerOptions { ContextLength = 512 }, LatentForm.Absorbed },
        { "chunks of 3 tokens", new SchedulerOptions { CachePositions = 2048, PromptChunk = 3 }, LatentForm.Absorbed },
        { "nothing shared", new SchedulerOptions { CachePositions = 2048, SharePrefixes = false }, LatentForm.Absorbed },
        { "three at once", new SchedulerOptions { CachePositions = 2048, MaxRunning = 3 }, LatentForm.Absorbed },
        { "prompts in a form of their own", new SchedulerOptions { CachePositions = 1024, ContextLength = 512 }, LatentForm.Expanded },
    };

    public void Dispose() => _model.Dispose();

    [Theory]
    [MemberData(nameof(Ways), DisableDiscoveryEnumeration = true)]
    public async Task A_text_is_the_same_alone_and_with_sixteen_others(string way, SchedulerOptions options, LatentForm form)
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 2, Mla = form });
        using var scheduler = new Scheduler(model, options);
        var random = new Random(way.Length);
        int[] system = Prompt(random, 150);
        for (int round = 0; round < 2; round++)
        {
            (int[] Prompt, GenerationOptions Options)[] texts = [.. Enumerable.Range(0, 17).Select(text => (
                text % 3 == 0 ? [.. system, .. Prompt(random, 1 + random.Next(40))] : Prompt(random, 1 + random.Next(text % 5 == 0 ? 300 : 40)),
                new GenerationOptions
                {
                    MaxTokens = 1 + random.Next(90),
                    Speculation = text % 3 == 1 ? Speculation.Lookup : Speculation.None,
                    DraftTokens = 1 + (text % 7),
                    Sampling = new SamplingOptions
                    {
                        Seed = (ulong)text,
                        Temperature = text % 4,
                        RepetitionPenalty = text % 2 == 0 ? 1.2f : 1,
                        TopLogProbabilities = text % 4,
                    },
                }))];
            Task<Written>[] together = [.. texts.Select(text => Task.Run(() => Read(scheduler, text.Prompt, text.Options)))];
            for (int text = 0; text < texts.Length; text++)
            {
                Written alone = Alone(model, texts[text].Prompt, texts[text].Options);
                alone.MustEqual(await together[text], $"{way}, round {round}, text {text}");
            }
        }

        SchedulerCounts counts = await Quiet(scheduler);
        Assert.Equal((0, 0, 0), (counts.Running, counts.Waiting, counts.HeldBlocks));
        if (way == "room for all")
            Assert.Equal((0, true), (counts.Preemptions, counts.CachedTokens > 0));
        if (!options.SharePrefixes)
            Assert.Equal(0, counts.CachedTokens);
    }

    [Fact]
    public async Task A_text_that_loses_its_room_goes_on_with_the_same_bits()
    {
        using var scheduler = new Scheduler(_model, new SchedulerOptions { ContextLength = 512 });
        using var go = new ManualResetEventSlim();
        (int[] Prompt, GenerationOptions Options)[] texts = [.. Enumerable.Range(0, 2).Select(text => (
            Prompt(new Random(text), 200),
            new GenerationOptions { MaxTokens = 150, Sampling = new SamplingOptions { Seed = (ulong)text, TopLogProbabilities = 2 } }))];

        // The first begins when both are there. The eight blocks are full when each has 256 tokens: then the second must make room.
        Task<Written> first = Task.Run(() => Written.By(
            observed => scheduler.Submit(texts[0].Prompt, observed with
            {
                LogitsObserver = (position, logits) =>
                {
                    go.Wait();
                    observed.LogitsObserver!(position, logits);
                },
            }),
            texts[0].Options));
        while (scheduler.Counts.Running == 0)
            await Task.Delay(1);
        Task<Written> second = Task.Run(() => Read(scheduler, texts[1].Prompt, texts[1].Options));
        while (scheduler.Counts.Waiting == 0)
            await Task.Delay(1);
        go.Set();

        Alone(_model, texts[0].Prompt, texts[0].Options).MustEqual(await first, "the first");
        Alone(_model, texts[1].Prompt, texts[1].Options).MustEqual(await second, "the second");
        Assert.Equal(1, (await Quiet(scheduler)).Preemptions);
    }

    [Fact]
    public async Task Equal_beginnings_are_computed_once()
    {
        using var scheduler = new Scheduler(_model, new SchedulerOptions { CachePositions = 4096 });
        int[] prompt = Prompt(new Random(1), 300);
        var options = new GenerationOptions { MaxTokens = 4, Sampling = SamplingOptions.Greedy };
        await Task.WhenAll(Enumerable.Range(0, 8).Select(choice => Task.Run(() => Read(
            scheduler, prompt, options with { Sampling = new SamplingOptions { Sequence = (ulong)choice } }))));

        // Those that come while the first is read wait for it and read one token; those that come later find the full blocks at least.
        SchedulerCounts counts = await Quiet(scheduler);
        Assert.Equal(8 * 300, counts.PromptTokens + counts.CachedTokens);
        Assert.InRange(counts.PromptTokens, 300 + 7, 300 + (7 * (300 % BlockPositions)));

        Completion again = scheduler.Submit(prompt, options);
        Assert.True(again.TryNext(out _));
        Assert.Equal(300 / BlockPositions * BlockPositions, again.CachedTokens);
        again.Dispose();
    }

    [Fact]
    public async Task What_was_written_is_shared_with_the_next_turn()
    {
        using var scheduler = new Scheduler(_model, new SchedulerOptions { CachePositions = 1024 });
        int[] prompt = Prompt(new Random(2), 60);
        Written first = Read(scheduler, prompt, new GenerationOptions { MaxTokens = 80, Sampling = SamplingOptions.Greedy });
        int[] next = [.. prompt, .. first.Ids, .. Prompt(new Random(3), 10)];
        Completion second = scheduler.Submit(next, new GenerationOptions { MaxTokens = 1, Sampling = SamplingOptions.Greedy });
        Assert.True(second.TryNext(out GeneratedToken token));
        Assert.Equal(128, second.CachedTokens);
        Assert.Equal(Alone(_model, next, new GenerationOptions { MaxTokens = 1, Sampling = SamplingOptions.Greedy }).Ids[0], token.Id);
        await Quiet(scheduler);
    }

    [Fact]
    public async Task Texts_of_different_scopes_share_nothing()
    {
        using var scheduler = new Scheduler(_model, new SchedulerOptions { CachePositions = 2048 });
        int[] prompt = Prompt(new Random(4), 200);
        var options = new GenerationOptions { MaxTokens = 2, Sampling = SamplingOptions.Greedy };
        await Task.WhenAll(new[] { "a", "b", "c" }.Select(scope => Task.Run(() => Drain(scheduler.Submit(prompt, options, scope)))));
        SchedulerCounts counts = await Quiet(scheduler);
        Assert.Equal((600, 0), (counts.PromptTokens, counts.CachedTokens));
        Drain(scheduler.Submit(prompt, options, "b"));
        Assert.Equal(192, (await Quiet(scheduler)).CachedTokens);
    }

    [Fact]
    public async Task A_long_prompt_takes_others_one_chunk_at_a_time()
    {
        using var scheduler = new Scheduler(_model, new SchedulerOptions { CachePositions = 2048, PromptChunk = 32 });
        var passes = new List<long>();
        Completion writing = scheduler.Submit([0, 439], new GenerationOptions
        {
            Sampling = SamplingOptions.Greedy,
            LogitsObserver = (_, _) => passes.Add(scheduler.Counts.PromptTokens),
        });
        for (int token = 0; token < 20; token++)
            Assert.True(writing.TryNext(out _));
        Drain(scheduler.Submit(Prompt(new Random(5), 400), new GenerationOptions { MaxTokens = 1 }));
        writing.Dispose();
        await Quiet(scheduler);
        long[] read = [.. passes.Zip(passes.Skip(1), (before, after) => after - before)];
        Assert.InRange(read[1..].Max(), 1, 32);
        Assert.Equal(400, read[1..].Sum());
    }

    [Fact]
    public async Task Cancelling_frees_blocks_within_a_pass()
    {
        using var scheduler = new Scheduler(_model, new SchedulerOptions { CachePositions = 1024, SharePrefixes = false });
        using var reached = new ManualResetEventSlim();
        using var cancelled = new ManualResetEventSlim();
        using var source = new CancellationTokenSource();
        long stepsThen = 0;
        Completion writing = scheduler.Submit(
            Prompt(new Random(6), 300),
            new GenerationOptions
            {
                Sampling = SamplingOptions.Greedy,
                LogitsObserver = (position, _) =>
                {
                    if (position != 310)
                        return;
                    reached.Set();
                    cancelled.Wait();
                    stepsThen = scheduler.Counts.Steps;
                },
            },
            cancellationToken: source.Token);
        reached.Wait();
        Assert.Equal(5, scheduler.Counts.HeldBlocks);
        source.Cancel();
        cancelled.Set();
        SchedulerCounts counts = await Quiet(scheduler);
        Assert.Equal((0, stepsThen + 1), (counts.HeldBlocks, counts.Steps));
        Assert.ThrowsAny<OperationCanceledException>(() => Drain(writing));
        Assert.Equal(FinishReason.Cancelled, writing.FinishReason);
    }

    [Fact]
    public async Task Leaving_the_loop_ends_a_text()
    {
        using var scheduler = new Scheduler(_model);
        Completion writing = scheduler.Submit([0, 439], new GenerationOptions { Sampling = SamplingOptions.Greedy });
        await foreach (GeneratedToken token in writing)
        {
            if (token.Index == 5)
                break;
        }

        Assert.Equal(0, (await Quiet(scheduler)).HeldBlocks);
        Assert.Equal(FinishReason.Cancelled, writing.FinishReason);
        Assert.Throws<InvalidOperationException>(() => writing.GetAsyncEnumerator());
    }

    [Fact]
    public async Task Guesses_come_true_in_company()
    {
        using var scheduler = new Scheduler(_model, new SchedulerOptions { CachePositions = 2048 });
        int[] refrain = [0, .. Enumerable.Repeat(Prompt(new Random(7), 20)[1..], 6).SelectMany(verse => verse)];
        var options = new GenerationOptions { MaxTokens = 150, Sampling = SamplingOptions.Greedy, Speculation = Speculation.Lookup };
        Written alone = Alone(_model, refrain, options with { Speculation = Speculation.None });
        Completion[] together = [.. Enumerable.Range(0, 4).Select(_ => scheduler.Submit(refrain, options))];
        foreach (Completion text in together)
            Assert.Equal(alone.Ids, Drain(text).Select(token => token.Id));
        Assert.All(together, text => Assert.InRange(text.Drafts.Accepted, 1, text.Drafts.Drafted));
        Assert.True((await Quiet(scheduler)).Steps < 150, $"{scheduler.Counts.Steps} passes");
    }

    [Fact]
    public void A_text_ends_for_the_reasons_that_a_session_ends_for()
    {
        using var scheduler = new Scheduler(_model);
        foreach (GenerationOptions options in new[]
        {
            new GenerationOptions { MaxTokens = 0 },
            new GenerationOptions { MaxTokens = 7 },
            new GenerationOptions { StopTokens = [.. Enumerable.Range(0, 300)] },
            new GenerationOptions(),
        })
        {
            GenerationOptions greedy = options with { Sampling = SamplingOptions.Greedy };
            Alone(_model, [0, 439, 448, 274, 411], greedy).MustEqual(Read(scheduler, [0, 439, 448, 274, 411], greedy), $"{options.MaxTokens}");
        }
    }

    [Fact]
    public async Task A_text_that_fails_leaves_the_others_alone()
    {
        using var scheduler = new Scheduler(_model, new SchedulerOptions { CachePositions = 1024 });
        Dictionary<int, float> none = Enumerable.Range(0, _model.Info.VocabularySize).ToDictionary(id => id, _ => float.NegativeInfinity);
        var options = new GenerationOptions { MaxTokens = 50, Sampling = SamplingOptions.Greedy };
        Task<Written> good = Task.Run(() => Read(scheduler, [0, 439], options));
        Completion bad = scheduler.Submit([0, 5], options with { Sampling = SamplingOptions.Greedy with { LogitBias = none } });
        Assert.Contains("bans every token", Assert.Throws<InvalidRequestException>(() => Drain(bad)).Message, StringComparison.Ordinal);
        Assert.Null(bad.FinishReason);
        Alone(_model, [0, 439], options).MustEqual(await good, "beside one that failed");
    }

    [Fact]
    public void No_more_wait_than_may()
    {
        using var scheduler = new Scheduler(_model, new SchedulerOptions { MaxRunning = 1, MaxWaiting = 2 });
        using var go = new ManualResetEventSlim();
        var options = new GenerationOptions { MaxTokens = 1, Sampling = SamplingOptions.Greedy };
        Completion first = scheduler.Submit([0], options with { LogitsObserver = (_, _) => go.Wait() });
        SpinWait.SpinUntil(() => scheduler.Counts.Running == 1);
        Completion[] others = [scheduler.Submit([0], options), scheduler.Submit([0], options)];
        QueueFullException full = Assert.Throws<QueueFullException>(() => scheduler.Submit([0], options));
        Assert.Equal("1 texts are written and 2 wait, which is as many as may; try again later.", full.Message);
        go.Set();
        foreach (Completion text in (Completion[])[first, .. others])
            Assert.Single(Drain(text));
    }

    [Fact]
    public void Disposing_ends_all_texts()
    {
        var scheduler = new Scheduler(_model, new SchedulerOptions { MaxRunning = 2 });
        Completion[] texts = [.. Enumerable.Range(0, 5).Select(_ => scheduler.Submit([0, 439], new GenerationOptions { Sampling = SamplingOptions.Greedy }))];
        Assert.True(texts[0].TryNext(out _));
        scheduler.Dispose();
        foreach (Completion text in texts)
            Assert.Throws<ObjectDisposedException>(() => Drain(text));
        Assert.Throws<ObjectDisposedException>(() => scheduler.Submit([0]));
        texts[0].Dispose();
    }

    [Fact]
    public void What_is_asked_for_is_checked()
    {
        Refused(() => new Scheduler(_model, new SchedulerOptions { ContextLength = 513 }), "A context of 513 tokens");
        Refused(() => new Scheduler(_model, new SchedulerOptions { CachePositions = 100, ContextLength = 200 }), "A cache of 100 positions");
        Refused(() => new Scheduler(_model, new SchedulerOptions { MaxRunning = 0 }), "0 texts at once");
        Refused(() => new Scheduler(_model, new SchedulerOptions { PromptChunk = 0 }), "The prompt chunk is 0");
        using var scheduler = new Scheduler(_model, new SchedulerOptions { ContextLength = 100 });
        Refused(() => scheduler.Submit([]), "The prompt has no tokens");
        Refused(() => scheduler.Submit([1 << 20]), "outside the vocabulary");
        Refused(() => scheduler.Submit(new int[101]), "The prompt has 101 tokens, but the context is 100");
        Refused(() => scheduler.Submit([0], new GenerationOptions { Speculation = Speculation.NextTokens }), "guesses come from the text itself");
        Refused(() => scheduler.Submit([0], new GenerationOptions { Sampling = new SamplingOptions { TopP = 2 } }), "The top-p is 2");

        static void Refused(Func<object> what, string message) =>
            Assert.Contains(message, Assert.Throws<InvalidRequestException>(what).Message, StringComparison.Ordinal);
    }

    private static int[] Prompt(Random random, int length) => [0, .. Enumerable.Range(1, length - 1).Select(_ => 16 + random.Next(2000))];

    /// <summary>What the scheduler says once it has nothing to do.</summary>
    private static async Task<SchedulerCounts> Quiet(Scheduler scheduler)
    {
        while (scheduler.Counts is { Running: > 0 } or { Waiting: > 0 })
            await Task.Delay(1);
        return scheduler.Counts;
    }

    private static GeneratedToken[] Drain(Completion completion)
    {
        var tokens = new List<GeneratedToken>();
        while (completion.TryNext(out GeneratedToken token))
            tokens.Add(token);
        return [.. tokens];
    }

    private static Written Alone(Model model, int[] prompt, GenerationOptions options)
    {
        using var session = new Session(model);
        return Written.By(observed => session.Generate(prompt, observed), options);
    }

    private static Written Read(Scheduler scheduler, int[] prompt, GenerationOptions options) =>
        Written.By(observed => scheduler.Submit(prompt, observed), options);
}
