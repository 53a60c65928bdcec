namespace Pure.Serve.Benchmark;

/// <summary>What is measured.</summary>
/// <param name="Prompt">Tokens read at once; 0 to leave that out.</param>
/// <param name="Generate">Tokens decoded one by one; 0 to leave that out.</param>
/// <param name="Depth">Tokens in the cache before either begins.</param>
/// <param name="Batch">Sequences that are decoded side by side.</param>
/// <param name="Repetitions">How often, after a warm-up; medians are reported.</param>
internal readonly record struct BenchCase(int Prompt, int Generate, int Depth, int Batch, int Repetitions)
{
    /// <summary>Positions of each sequence.</summary>
    internal int Positions => Depth + Math.Max(Prompt, Generate);
}

/// <summary>Some measurements of one thing.</summary>
/// <param name="Median">The middle one, or the mean of the two in the middle.</param>
/// <param name="Lowest">The lowest.</param>
/// <param name="Highest">The highest.</param>
internal readonly record struct Measured(double Median, double Lowest, double Highest)
{
    /// <summary>Null if nothing was measured.</summary>
    internal static Measured? Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0
            ? null
            : new Measured((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, sorted[0], sorted[^1]);
    }
}
