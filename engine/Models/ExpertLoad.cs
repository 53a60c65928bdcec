namespace Pure.Engine.Models;

/// <summary>How a mixture's router spread the rows of all passes over its experts.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Rows">Rows that chose each expert, <c>[experts]</c>.</param>
public sealed record ExpertLoad(int Layer, IReadOnlyList<long> Rows)
{
    /// <summary>Choices of all rows.</summary>
    public long Total => Rows.Sum();

    /// <summary>Experts that no row chose.</summary>
    public int Unused => Rows.Count(rows => rows == 0);

    /// <summary>The busiest expert's part of all choices, from 0 to 1; 0 where there were none.</summary>
    public double LargestShare => Total == 0 ? 0 : (double)Rows.Max() / Total;

    /// <summary>Rows of the expert in the middle, of an even number the lower one.</summary>
    public long Median => Rows.Order().ElementAt((Rows.Count - 1) / 2);
}
