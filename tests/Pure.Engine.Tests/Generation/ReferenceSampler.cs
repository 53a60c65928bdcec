using Pure.Engine.Generation;

namespace Pure.Engine.Tests.Generation;

/// <summary>The sampler's rules said again with sorting, dictionaries and <see cref="Math"/>, to compare with.</summary>
internal static class ReferenceSampler
{
    /// <summary>The tokens that may be drawn with their probabilities, the most probable first.</summary>
    internal static List<(int Id, double Probability)> Distribution(SamplingOptions options, float[] logits, int[] history)
    {
        var values = Adjust(options, logits, history);
        var ranked = values.Select((logit, id) => (Logit: logit, Id: id)).OrderByDescending(x => x.Logit).ThenBy(x => x.Id).ToList();
        if (options.Temperature == 0)
            return [(ranked[0].Id, 1)];
        if (options.TopK > 0)
            ranked = [.. ranked.Take(options.TopK)];

        double maximum = ranked[0].Logit;
        double[] plain = Normalise([.. ranked.Select(x => Math.Exp(x.Logit - maximum))]);
        int keep = 0;
        for (double mass = 0; keep < plain.Length && (keep == 0 || options.TopP == 1 || mass < options.TopP); keep++)
            mass += plain[keep];
        ranked = [.. ranked.Take(keep).Where((_, rank) => plain[rank] >= options.MinP * plain[0])];

        double[] final = Normalise([.. ranked.Select(x => Math.Exp((x.Logit - maximum) / options.Temperature))]);
        return [.. ranked.Select((x, rank) => (x.Id, final[rank]))];
    }

    internal static double LogSoftmax(float[] logits, int id)
    {
        double maximum = logits.Max();
        return logits[id] - maximum - Math.Log(logits.Sum(logit => Math.Exp(logit - maximum)));
    }

    private static double[] Adjust(SamplingOptions options, float[] logits, int[] history)
    {
        double[] values = [.. logits];
        foreach ((int id, float bias) in options.LogitBias ?? new Dictionary<int, float>())
            values[id] += bias;
        foreach (var seen in history.TakeLast(options.PenaltyWindow).GroupBy(id => id))
        {
            double logit = values[seen.Key];
            logit = logit > 0 ? logit / options.RepetitionPenalty : logit * options.RepetitionPenalty;
            values[seen.Key] = logit - (seen.Count() * options.FrequencyPenalty) - options.PresencePenalty;
        }

        return values;
    }

    private static double[] Normalise(double[] weights)
    {
        double sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }
}
