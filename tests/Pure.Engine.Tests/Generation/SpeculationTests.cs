#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using Pure.Engine.Generation;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Generation;

/// <summary>Guessing ahead changes nothing but the time: every token, log-probability and logit is as without.</summary>
public sealed class SpeculationTests
{
    private static readonly string DefaultModel =
        Path.Combine(Repository.Root, "chat", "Models", "stories-moe", "stories-moe-q8_0.gguf");

    // ", there was a little girl named Lily" and so on, three times over: the model goes on with it now and then, and strays.
    private static readonly int[] Retold = [.. Enumerable.Repeat((int[])[0, 439, 448, 274, 411, 60, 415, 298, 274, 405, 481, 428, 410], 3).SelectMany(ids => ids)];

    public static TheoryData<string, GenerationOptions> Ways => new()
    {
        { "greedy", new() { Sampling = SamplingOptions.Greedy } },
        { "greedy with log-probabilities", new() { Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 3 } } },
        { "sampled", new() { Sampling = new() { Seed = 7 } } },
        { "sampled without top-k", new() { Sampling = new() { Seed = 3, TopK = 0, TopP = 1, MinP = 0, Temperature = 0.5f } } },
        {
            "sampled with penalties and bias", new()
            {
                Sampling = new()
                {
                    Seed = 5,
                    RepetitionPenalty = 1.1f,
                    PresencePenalty = 0.1f,
                    FrequencyPenalty = 0.05f,
                    LogitBias = Favouring([60, 298, 415], 6),
                    TopLogProbabilities = 2,
                }
            }
        },
    };

    [Theory]
    [MemberData(nameof(Ways), DisableDiscoveryEnumeration = true)]
    public void A_story_is_the_same_to_the_bit_whatever_is_guessed(string way, GenerationOptions options)
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 2 });
        Written expected = Written.By(model, Retold, options with { MaxTokens = 100 });
        foreach (int draft in new[] { 1, 3, 8, 40 })
        {
            Written written = Written.By(model, Retold, Guessing(options with { MaxTokens = 100 }, draft));
            expected.MustEqual(written, way);
            Assert.InRange(written.Drafts.Accepted, 1, written.Drafts.Drafted - 1); // some came true, some did not
            Assert.InRange(written.Drafts.Drafted, written.Drafts.Passes, draft * written.Drafts.Passes);
        }
    }

    /// <summary>Random weights write at random; kept to a few tokens they repeat themselves, and stray.</summary>
    [Theory]
    [InlineData("llama-gqa", ActivationType.Q8, CacheType.F16)]
    [InlineData("llama-q256-Q4_K_M", ActivationType.Q8, CacheType.F16)]
    [InlineData("llama-q256-Q4_K_M", ActivationType.F32, CacheType.F32)]
    [InlineData("llama-mixtral", ActivationType.Q8, CacheType.F16)]
    [InlineData("deepseek2-lite-split", ActivationType.Q8, CacheType.F16)]
    [InlineData("deepseek2-v3-kvb", ActivationType.Q8, CacheType.F32)]
    public void A_golden_model_writes_the_same_bits(string name, ActivationType activations, CacheType cache)
    {
        Golden golden = Golden.Open(name);
        using Model model = Model.Load(golden.ModelPath, new ModelOptions { Threads = 2, Activations = activations, CacheType = cache });
        int[] once = golden.Tokens[..12];
        int[] prompt = [.. once, .. once, .. once];
        int count = Math.Min(90, model.Info.ContextLength - prompt.Length);
        IReadOnlyDictionary<int, float> few = Favouring(once[..3], 100);
        foreach (SamplingOptions sampling in new[] { SamplingOptions.Greedy, new() { Seed = 1, RepetitionPenalty = 1.001f } })
        {
            var options = new GenerationOptions { MaxTokens = count, Sampling = sampling with { LogitBias = few } };
            Written written = Written.By(model, prompt, Guessing(options, 5));
            Written.By(model, prompt, options).MustEqual(written, name);
            Assert.InRange(written.Drafts.Accepted, 1, written.Drafts.Drafted);
        }
    }

    [Fact]
    public void Most_tokens_end_token_and_context_end_the_text_where_they_would()
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 2 });
        var greedy = new GenerationOptions { Sampling = SamplingOptions.Greedy };
        Written whole = Written.By(model, Retold, greedy with { MaxTokens = 24 });
        for (int count = 0; count <= 24; count++)
        {
            GenerationOptions options = greedy with { MaxTokens = count };
            Written.By(model, Retold, options).MustEqual(Written.By(model, Retold, Guessing(options, 8)), $"{count} tokens");

            int context = Retold.Length + count;
            Written.By(model, Retold, greedy, context).MustEqual(Written.By(model, Retold, Guessing(greedy, 8), context), $"context {context}");
        }

        foreach (int end in whole.Ids.Distinct())
        {
            GenerationOptions options = greedy with { MaxTokens = 60, StopTokens = [end] };
            Written stopped = Written.By(model, Retold, options);
            Assert.Equal(FinishReason.EndToken, stopped.Reason);
            stopped.MustEqual(Written.By(model, Retold, Guessing(options, 8)), $"end token {end}");
        }
    }

    [Fact]
    public void A_text_left_at_any_token_is_continued_as_without_guesses()
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 2 });
        var options = new GenerationOptions { MaxTokens = 40, Sampling = SamplingOptions.Greedy };
        for (int left = 1; left <= 20; left++)
        {
            using var plain = new Session(model);
            using var guessing = new Session(model);
            Assert.Equal(WriteThenLeave(plain, options, left), WriteThenLeave(guessing, Guessing(options, 8), left));
            Assert.Equal(plain.Length, guessing.Length);
            Written expected = Written.By(plain, [60, 415, 298], options);
            expected.MustEqual(Written.By(guessing, [60, 415, 298], Guessing(options, 8)), $"left after {left}");
        }

        static int[] WriteThenLeave(Session session, GenerationOptions options, int left)
        {
            using Completion completion = session.Generate(Retold, options);
            var ids = new List<int>();
            while (ids.Count < left && completion.TryNext(out GeneratedToken token))
                ids.Add(token.Id);
            return [.. ids];
        }
    }

    [Fact]
    public void Other_users_of_the_model_between_two_tokens_change_nothing()
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 2 });
        var options = new GenerationOptions { MaxTokens = 60, Sampling = new() { Seed = 9 } };
        Written expected = Written.By(model, Retold, options);
        using var one = new Session(model);
        using var two = new Session(model);
        Completion first = one.Generate(Retold, Guessing(options, 8));
        Completion second = two.Generate([0, 500, 600, 700, 500, 600, 700], Guessing(options with { MaxTokens = null }, 4));
        var ids = new List<int>();
        while (first.TryNext(out GeneratedToken token))
        {
            ids.Add(token.Id);
            Assert.True(second.TryNext(out _));
        }

        Assert.Equal(expected.Ids, ids);
        Assert.True(first.Drafts.Accepted > 0);
    }

    [Fact]
    public void A_cancelled_or_failing_text_leaves_the_session_as_without_guesses()
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 2 });
        using var session = new Session(model);
        using var cancellation = new CancellationTokenSource();
        var options = new GenerationOptions { MaxTokens = 40, Sampling = SamplingOptions.Greedy };
        Completion completion = session.Generate(Retold, Guessing(options, 8), cancellation.Token);
        for (int index = 0; index < 4; index++)
            Assert.True(completion.TryNext(out _));
        cancellation.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => completion.TryNext(out _));
        Assert.Equal(Retold.Length + 4, session.Length);

        completion = session.Generate([60], Guessing(options, 8));
        Assert.True(completion.TryNext(out _) && completion.TryNext(out _));
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => completion.TryNext(out _));
    }

    [Fact]
    public void A_draft_that_no_batch_could_hold_is_refused()
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 1, MaxBatchRows = 9 });
        using var session = new Session(model);
        foreach (int draft in new[] { -1, 0, 9 })
        {
            string message = Assert.Throws<InvalidRequestException>(
                () => session.Generate(Retold, Guessing(new GenerationOptions(), draft))).Message;
            Assert.Contains($"Drafts of {draft} tokens", message, StringComparison.Ordinal);
        }

        var options = new GenerationOptions { MaxTokens = 30, Sampling = SamplingOptions.Greedy };
        Written.By(session, Retold, Guessing(options, 8)).MustEqual(Written.By(model, Retold, options), "the largest batch");
    }

    private static Dictionary<int, float> Favouring(int[] ids, float bias) => ids.Distinct().ToDictionary(id => id, _ => bias);

    private static GenerationOptions Guessing(GenerationOptions options, int draft) =>
        options with { Speculation = Speculation.Lookup, DraftTokens = draft };
}
