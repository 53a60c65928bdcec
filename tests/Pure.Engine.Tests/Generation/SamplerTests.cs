using Pure.Engine.Generation;

namespace Pure.Engine.Tests.Generation;

public sealed class SamplerTests
{
    private static readonly SamplingOptions Plain = new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0 };

    // Probabilities 0.4, 0.3, 0.2, 0.1 in scrambled order.
    private static readonly float[] Four = [MathF.Log(0.2f), MathF.Log(0.4f), MathF.Log(0.1f), MathF.Log(0.3f)];

    [Fact]
    public void Greedy_takes_the_largest_logit_and_the_lower_id_of_equals()
    {
        float[] logits = new float[100];
        logits[71] = 3;
        logits[93] = 3;
        Assert.Equal(71, Sample(SamplingOptions.Greedy, logits));
        Assert.Equal(0, Sample(SamplingOptions.Greedy, [-0f, 0f]));
        Assert.Equal(0, Sample(SamplingOptions.Greedy, new float[100]));
    }

    [Fact]
    public void A_logit_that_is_not_a_number_is_an_error_wherever_it_stands()
    {
        for (int length = 1; length < 70; length++)
        {
            for (int place = 0; place < length; place++)
            {
                float[] logits = new float[length];
                logits[place] = float.NaN;
                Assert.Throws<InvalidOperationException>(() => Sample(SamplingOptions.Greedy, logits));
            }
        }
    }

    [Fact]
    public void Top_k_keeps_the_k_largest_and_the_lower_id_of_equals()
    {
        Assert.Equal([1, 3], Drawn(Plain with { TopK = 2 }, Four));
        Assert.Equal([0, 1], Drawn(Plain with { TopK = 2 }, [1, 1, 1, 1]));
    }

    [Fact]
    public void Top_p_keeps_the_fewest_that_reach_the_sum_and_at_least_one()
    {
        Assert.Equal([1], Drawn(Plain with { TopP = 0.01f }, Four));
        Assert.Equal([1], Drawn(Plain with { TopP = 0.39f }, Four));
        Assert.Equal([1, 3], Drawn(Plain with { TopP = 0.41f }, Four));
        Assert.Equal([0, 1, 3], Drawn(Plain with { TopP = 0.71f }, Four));
        Assert.Equal([0, 1, 2, 3], Drawn(Plain with { TopP = 0.91f }, Four));
    }

    [Fact]
    public void Top_p_counts_only_what_top_k_kept()
    {
        // Of 0.4 and 0.3 the first is 0.571 of the whole.
        Assert.Equal([1], Drawn(Plain with { TopK = 2, TopP = 0.56f }, Four));
        Assert.Equal([1, 3], Drawn(Plain with { TopK = 2, TopP = 0.58f }, Four));
    }

    [Fact]
    public void Min_p_keeps_what_is_probable_enough_beside_the_best()
    {
        Assert.Equal([1, 3], Drawn(Plain with { MinP = 0.6f }, Four));
        Assert.Equal([0, 1, 3], Drawn(Plain with { MinP = 0.4f }, Four));
        Assert.Equal([1], Drawn(Plain with { MinP = 1 }, Four));
    }

    [Fact]
    public void Temperature_does_not_change_what_is_kept()
    {
        Assert.Equal([1, 3], Drawn(Plain with { TopP = 0.41f, Temperature = 5 }, Four));
        Assert.Equal([0, 1, 3], Drawn(Plain with { MinP = 0.4f, Temperature = 5 }, Four));
    }

    [Fact]
    public void Repetition_penalty_divides_positive_and_multiplies_negative_logits()
    {
        SamplingOptions options = SamplingOptions.Greedy with { RepetitionPenalty = 2 };
        Assert.Equal(1, Sample(options, [4, 2.1f, 0], [0]));
        Assert.Equal(0, Sample(options, [4.3f, 2.1f, 0], [0]));
        Assert.Equal(2, Sample(options, [-1, -4, -1.9f], [0]));
    }

    [Fact]
    public void Presence_penalty_counts_once_and_frequency_penalty_each_time()
    {
        float[] logits = [4, 2.5f, 0];
        Assert.Equal(0, Sample(SamplingOptions.Greedy with { PresencePenalty = 1 }, logits, [0, 0]));
        Assert.Equal(1, Sample(SamplingOptions.Greedy with { FrequencyPenalty = 1 }, logits, [0, 0]));
        Assert.Equal(0, Sample(SamplingOptions.Greedy with { FrequencyPenalty = 1 }, logits, [0, 1, 1]));
    }

    [Fact]
    public void Penalties_see_the_window_only_and_start_afresh_each_time()
    {
        SamplingOptions options = SamplingOptions.Greedy with { FrequencyPenalty = 1, PenaltyWindow = 2 };
        var sampler = new Sampler(options, 3);
        for (int repeat = 0; repeat < 3; repeat++)
        {
            Assert.Equal(0, sampler.Sample([4, 2.5f, 0], [0, 0, 1, 2], 4));
            Assert.Equal(1, sampler.Sample([4, 2.5f, 0], [1, 1, 0, 0], 4));
        }
    }

    [Fact]
    public void Infinite_biases_ban_and_force()
    {
        var ban = new Dictionary<int, float> { [1] = float.NegativeInfinity };
        Assert.Equal([0, 2, 3], Drawn(Plain with { LogitBias = ban }, Four));
        Assert.Equal(3, Sample(SamplingOptions.Greedy with { LogitBias = ban }, Four));
        var force = new Dictionary<int, float> { [0] = float.PositiveInfinity, [2] = float.PositiveInfinity };
        foreach (int k in new[] { 0, 3 })
        {
            foreach (float p in new[] { 0.95f, 1 })
                Assert.Equal([0, 2], Drawn(Plain with { LogitBias = force, TopK = k, TopP = p }, Four));
        }

        var all = Enumerable.Range(0, 4).ToDictionary(id => id, _ => float.NegativeInfinity);
        Assert.Throws<InvalidRequestException>(() => Sample(Plain with { LogitBias = all }, Four));
    }

    [Fact]
    public void Draws_agree_with_a_sort_based_definition()
    {
        var random = new Random(1);
        for (int round = 0; round < 400; round++)
        {
            float[] logits = RandomLogits(random, random.Next(1, 300));
            int[] history = [.. Enumerable.Range(0, random.Next(0, 100)).Select(_ => random.Next(logits.Length))];
            SamplingOptions options = RandomOptions(random, logits.Length);
            var expected = ReferenceSampler.Distribution(options, logits, history);
            var sampler = new Sampler(options, logits.Length);
            for (int step = 0; step < 20; step++)
            {
                int id = sampler.Sample(logits, history, step);
                Assert.Equal(Inverse(options, expected, logits.Length, step), id);
            }
        }
    }

    [Fact]
    public void Draws_are_as_frequent_as_their_probabilities()
    {
        float[] logits = [0.3f, 2.1f, -1, 1.7f, 0.9f, 2, -0.5f, 1.1f];
        SamplingOptions options = Plain with { Temperature = 1.3f };
        var expected = ReferenceSampler.Distribution(options, logits, []);
        const int Draws = 20_000;
        foreach (ulong seed in new ulong[] { 0, 1, 42, ulong.MaxValue })
        {
            int[] counts = new int[logits.Length];
            var sampler = new Sampler(options with { Seed = seed }, logits.Length);
            for (int step = 0; step < Draws; step++)
                counts[sampler.Sample(logits, [], step)]++;

            // 7 degrees of freedom: 24.3 is passed once in a thousand.
            Assert.True(ChiSquare(expected, counts, Draws) < 24.3, $"seed {seed}: {string.Join(' ', counts)}");

            // The same over sequences at one step.
            Array.Clear(counts);
            for (int sequence = 0; sequence < Draws; sequence++)
                counts[new Sampler(options with { Seed = seed, Sequence = (ulong)sequence }, logits.Length).Sample(logits, [], 7)]++;
            Assert.True(ChiSquare(expected, counts, Draws) < 24.3, $"seed {seed}: {string.Join(' ', counts)}");
        }
    }

    [Fact]
    public void Log_probabilities_are_those_of_the_raw_logits()
    {
        var random = new Random(2);
        for (int round = 0; round < 50; round++)
        {
            float[] logits = RandomLogits(random, random.Next(5, 400));
            var options = SamplingOptions.Greedy with
            {
                TopLogProbabilities = 5,
                RepetitionPenalty = 3,
                LogitBias = new Dictionary<int, float> { [2] = 9 },
            };
            var sampler = new Sampler(options, logits.Length);
            int id = sampler.Sample(logits, [1, 2, 3], 3);
            var alternatives = new TokenLogProbability[5];
            double chosen = sampler.LogProbabilities(logits, id, alternatives);

            Assert.Equal(ReferenceSampler.LogSoftmax(logits, id), chosen, 1e-12);
            int[] best = [.. Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).ThenBy(i => i).Take(5)];
            Assert.Equal(best, alternatives.Select(alternative => alternative.Id));
            foreach (TokenLogProbability alternative in alternatives)
                Assert.Equal(ReferenceSampler.LogSoftmax(logits, alternative.Id), alternative.LogProbability, 1e-12);
        }
    }

    [Fact]
    public void Options_outside_their_range_are_named_in_one_sentence()
    {
        Rejects("temperature", Plain with { Temperature = -1 });
        Rejects("temperature", Plain with { Temperature = float.NaN });
        Rejects("top-k", Plain with { TopK = -1 });
        Rejects("top-p", Plain with { TopP = 0 });
        Rejects("top-p", Plain with { TopP = 1.5f });
        Rejects("min-p", Plain with { MinP = -0.1f });
        Rejects("repetition penalty", Plain with { RepetitionPenalty = 0 });
        Rejects("presence penalty", Plain with { PresencePenalty = float.PositiveInfinity });
        Rejects("frequency penalty", Plain with { FrequencyPenalty = float.NaN });
        Rejects("penalty window", Plain with { PenaltyWindow = -1 });
        Rejects("log-probabilities", Plain with { TopLogProbabilities = 11 });
        Rejects("token 10", Plain with { LogitBias = new Dictionary<int, float> { [10] = 1 } });
        Rejects("token 3", Plain with { LogitBias = new Dictionary<int, float> { [3] = float.NaN } });

        static void Rejects(string name, SamplingOptions options)
        {
            var exception = Assert.Throws<InvalidRequestException>(() => new Sampler(options, 10));
            Assert.Contains(name, exception.Message, StringComparison.Ordinal);
        }
    }

    private static int Sample(SamplingOptions options, float[] logits, params int[] history) =>
        new Sampler(options, logits.Length).Sample(logits, history, history.Length);

    /// <summary>All ids that 400 draws give, in ascending order.</summary>
    private static int[] Drawn(SamplingOptions options, float[] logits)
    {
        var sampler = new Sampler(options, logits.Length);
        return [.. Enumerable.Range(0, 400).Select(step => sampler.Sample(logits, [], step)).Distinct().Order()];
    }

    /// <summary>The id at which the cumulated probability passes the uniform number of this step.</summary>
    private static int Inverse(SamplingOptions options, List<(int Id, double Probability)> distribution, int vocabulary, int step)
    {
        // Where nothing is left out, the draw goes over ids in ascending order.
        if (options is { TopP: 1, MinP: 0 } && (options.TopK == 0 || options.TopK >= vocabulary))
            distribution = [.. distribution.OrderBy(entry => entry.Id)];
        double uniform = RandomNumber.Uniform(options.Seed, options.Sequence, (ulong)step);
        foreach ((int id, double probability) in distribution)
        {
            uniform -= probability;
            if (uniform < 0)
                return id;
        }

        return distribution[^1].Id;
    }

    private static double ChiSquare(List<(int Id, double Probability)> expected, int[] counts, int draws) =>
        expected.Sum(entry => Math.Pow(counts[entry.Id] - (entry.Probability * draws), 2) / (entry.Probability * draws));

    /// <summary>Quarters, so that equals are frequent and sums of penalties exact in single precision.</summary>
    private static float[] RandomLogits(Random random, int length) =>
        [.. Enumerable.Range(0, length).Select(_ => random.Next(-40, 40) / 4f)];

    private static SamplingOptions RandomOptions(Random random, int vocabulary) => new()
    {
        Temperature = new[] { 0, 0.5f, 1, 2 }[random.Next(4)],
        TopK = new[] { 0, 1, 5, 40, vocabulary - 1, vocabulary, vocabulary + 9 }[random.Next(7)] is var k && k < 0 ? 0 : k,
        TopP = new[] { 1, 0.95f, 0.5f, 0.1f }[random.Next(4)],
        MinP = new[] { 0, 0.05f, 0.3f }[random.Next(3)],
        RepetitionPenalty = new[] { 1, 2f, 0.5f }[random.Next(3)],
        PresencePenalty = new[] { 0, 0.5f }[random.Next(2)],
        FrequencyPenalty = new[] { 0, 0.25f }[random.Next(2)],
        PenaltyWindow = new[] { 0, 7, 64, 1000 }[random.Next(4)],
        LogitBias = random.Next(2) == 0 ? null : new Dictionary<int, float> { [random.Next(vocabulary)] = 2.5f },
        Seed = (ulong)random.NextInt64(),
        Sequence = (ulong)random.Next(5),
    };
}
