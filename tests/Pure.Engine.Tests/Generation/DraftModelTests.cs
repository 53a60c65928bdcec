#pragma warning disable xUnit1051 // the tests are short, and pass a token where it is their subject
using Pure.Engine.Generation;
using Pure.Engine.Models;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Generation;

/// <summary>A draft model changes nothing but the time, whether it guesses well or badly.</summary>
public sealed class DraftModelTests
{
    private static readonly string DefaultModel =
        Path.Combine(Repository.Root, "chat", "Models", "stories-moe", "stories-moe-q8_0.gguf");

    private static readonly int[] Prompt = [0, 439, 448, 274, 411, 60, 415, 298, 274, 405];

    public static TheoryData<string, SamplingOptions> Samplings => new()
    {
        { "greedy", SamplingOptions.Greedy },
        { "sampled", new() { Seed = 7 } },
        { "sampled with penalties", new() { Seed = 5, RepetitionPenalty = 1.1f, TopLogProbabilities = 2 } },
    };

    [Theory]
    [MemberData(nameof(Samplings), DisableDiscoveryEnumeration = true)]
    public void A_story_is_the_same_to_the_bit_with_itself_as_draft(string way, SamplingOptions sampling)
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 2 });
        var options = new GenerationOptions { MaxTokens = 90, Sampling = sampling };
        Written expected = Written.By(model, Prompt, options);
        foreach (int most in new[] { 1, 4, 8 })
        {
            Written written = Written.By(model, Prompt, Guessing(options, model, most));
            expected.MustEqual(written, way);
            Assert.InRange(written.Drafts.Accepted, 1, written.Drafts.Drafted);
        }
    }

    [Fact]
    public void A_model_that_guesses_for_itself_is_always_right()
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 2 });
        var options = new GenerationOptions { MaxTokens = 91, Sampling = SamplingOptions.Greedy };
        DraftCounts drafts = Written.By(model, Prompt, Guessing(options, model, 8)).Drafts;
        Assert.Equal(drafts.Drafted, drafts.Accepted);
        Assert.Equal((10, 80), (drafts.Passes, drafts.Drafted)); // the first token comes from the prompt, then nine from each pass
    }

    [Theory]
    [InlineData("other weights")]
    [InlineData("fewer tokens")]
    [InlineData("a short context")]
    public void Another_model_guesses_and_the_text_stays(string draft)
    {
        TinyModel other = TinyModel.Llama();
        if (draft == "other weights")
            other.Values["output_norm.weight"] = [.. Enumerable.Range(0, 16).Select(index => 1f + index)];
        if (draft == "fewer tokens")
            other.Tensors["token_embd.weight"] = [12, 16];
        if (draft == "a short context")
            other.Keys["llama.context_length"] = 20u;
        using Model model = TinyModel.Llama().Load();
        using Model guesser = other.Load(new ModelOptions { Threads = 1, MaxBatchRows = 3 });
        foreach (SamplingOptions sampling in new[] { SamplingOptions.Greedy, new() { Seed = 3 } })
        {
            Dictionary<int, float> rare = Enumerable.Range(12, 8).ToDictionary(id => id, _ => -1f);
            var options = new GenerationOptions { MaxTokens = 50, Sampling = sampling with { LogitBias = rare } };
            using var session = new Session(model);
            using var guessed = new Session(model);
            Written written = Written.By(guessed, [1, 2, 3, 4, 5], Guessing(options with { MaxTokens = 20 }, guesser, 4));
            Written.By(session, [1, 2, 3, 4, 5], options with { MaxTokens = 20 }).MustEqual(written, draft);
            Assert.True(written.Drafts.Drafted > 0);

            // A second turn, which the draft model reads from the beginning.
            Written.By(session, [6, 7], options).MustEqual(Written.By(guessed, [6, 7], Guessing(options, guesser, 4)), draft);
        }
    }

    [Fact]
    public void A_draft_of_another_vocabulary_or_none_is_refused()
    {
        using Model model = Model.Load(DefaultModel, new ModelOptions { Threads = 1 });
        using Model other = TinyModel.Llama().Load();
        using var session = new Session(model);
        string message = Assert.Throws<InvalidRequestException>(() => session.Generate([1], Guessing(new(), other, 4))).Message;
        Assert.Contains("has 20 tokens, expected the model's 2048", message, StringComparison.Ordinal);
        message = Assert.Throws<InvalidRequestException>(
            () => session.Generate([1], new GenerationOptions { Speculation = Speculation.DraftModel })).Message;
        Assert.Contains("none was given", message, StringComparison.Ordinal);
    }

    private static GenerationOptions Guessing(GenerationOptions options, Model draft, int most) =>
        options with { Speculation = Speculation.DraftModel, DraftModel = draft, DraftTokens = most };
}
