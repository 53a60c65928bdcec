using Pure.Engine.Generation;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Tests.Models;

namespace Pure.Engine.Tests.Generation;

/// <summary>Texts that outgrow their context.</summary>
public class ContextShiftTests
{
    private const int Context = 32;

    [Theory]
    [InlineData("llama", 0)]
    [InlineData("llama", 5)]
    [InlineData("gemma3", 5)]
    [InlineData("deepseek2", 0)]
    [InlineData("deepseek2", -1)]
    public void What_follows_a_shift_is_what_follows_the_tokens_that_are_left(string family, int keep)
    {
        using Model model = Model.Load(TinyFamily.Create(family, ElementType.Q8_0), new ModelOptions { Threads = 1, MaxBatchRows = 8 });
        int[] prompt = [.. Enumerable.Range(0, 12).Select(index => index * 31 % TinyFamily.Vocabulary)];
        List<int> text = [.. prompt];
        var rows = new List<float[]>();
        using var session = new Session(model, Context);
        using (Completion completion = Write(session, prompt, keep, 90, rows))
        {
            while (completion.TryNext(out GeneratedToken token))
                text.Add(token.Id);
            Assert.Equal(FinishReason.MaxTokens, completion.FinishReason);
        }

        // The same by hand: a session that is given what is left, as its prompt.
        int kept = keep == -1 ? prompt.Length : keep;
        List<int> left = [.. prompt];
        foreach ((int step, float[] row) in rows.Index())
        {
            if (left.Count > Context)
                left.RemoveRange(kept, (left.Count - kept) / 2);
            var expected = new List<float[]>();
            using var fresh = new Session(model, Context);
            using (Completion one = Write(fresh, [.. left], null, 1, expected))
                one.TryNext(out _);
            Assert.Equal(expected[0], row);
            left.Add(text[prompt.Length + step]);
        }

        Assert.True(session.Length <= Context + 1);
    }

    [Fact]
    public void Without_it_a_full_context_ends_the_text()
    {
        using Model model = Model.Load(TinyFamily.Create("llama"), new ModelOptions { Threads = 1 });
        foreach (int? keep in new int?[] { null, Context - 1 })
        {
            using var session = new Session(model, Context);
            using Completion completion = Write(session, [1, 2, 3], keep, 90, []);
            int written = 0;
            while (completion.TryNext(out _))
                written++;
            Assert.Equal(keep is null ? FinishReason.ContextFull : FinishReason.MaxTokens, completion.FinishReason);
            Assert.Equal(keep is null ? Context - 2 : 90, written);
        }
    }

    [Theory]
    [InlineData(Context, Speculation.None, "32")]
    [InlineData(-2, Speculation.None, "-2")]
    [InlineData(0, Speculation.Lookup, "Guessing")]
    public void What_cannot_be_kept_is_refused(int keep, Speculation speculation, string fact)
    {
        using Model model = Model.Load(TinyFamily.Create("llama"), new ModelOptions { Threads = 1 });
        using var session = new Session(model, Context);
        var options = new GenerationOptions { ShiftKeep = keep, Speculation = speculation };
        Assert.Contains(fact, Assert.Throws<InvalidRequestException>(() => session.Generate([1], options, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);

        int[] tooLong = new int[Context + 1];
        Assert.Contains("33", Assert.Throws<InvalidRequestException>(
            () => session.Generate(tooLong, options with { ShiftKeep = 0, Speculation = Speculation.None }, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    private static Completion Write(Session session, int[] prompt, int? keep, int count, List<float[]> rows) => session.Generate(
        prompt,
        new GenerationOptions
        {
            MaxTokens = count,
            ShiftKeep = keep,
            Sampling = new SamplingOptions { Temperature = 1, Seed = 3 },
            LogitsObserver = (_, row) => rows.Add(row.ToArray()),
        });
}
