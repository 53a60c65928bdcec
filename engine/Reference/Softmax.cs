namespace Pure.Engine.Reference;

/// <summary>e^x / Σ e^x, around the maximum.</summary>
internal static class Softmax
{
    /// <param name="values">Scores, which become weights.</param>
    /// <param name="sink">A score that takes part in the sum and has no weight (gpt-oss), or null.</param>
    internal static void InPlace(Span<double> values, double? sink = null)
    {
        double max = sink ?? double.NegativeInfinity;
        foreach (double value in values)
            max = Math.Max(max, value);
        double sum = sink is null ? 0 : Math.Exp(sink.Value - max);
        foreach (ref double value in values)
        {
            value = Math.Exp(value - max);
            sum += value;
        }

        foreach (ref double value in values)
            value /= sum;
    }
}
