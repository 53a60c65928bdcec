using Pure.Engine.Models;

namespace Pure.Serve;

/// <summary>The balance of a run's routing, one line per mixture.</summary>
internal static class ExpertTable
{
    internal static string Of(IReadOnlyList<ExpertLoad> loads)
    {
        if (loads.Count == 0)
            return "experts     the model has none\n";
        var table = new TextTable("experts", ">choices", ">least", ">median", ">most", ">busiest", ">even", ">unused");
        foreach (ExpertLoad load in loads)
        {
            table.Add(
                $"layer {load.Layer}",
                Figures.Count(load.Total),
                Figures.Count(load.Rows.Min()),
                Figures.Count(load.Median),
                Figures.Count(load.Rows.Max()),
                $"{Figures.Decimal(100 * load.LargestShare, 1)} %",
                $"{Figures.Decimal(100.0 / load.Rows.Count, 1)} %",
                $"{load.Unused} of {load.Rows.Count}");
        }

        return table.ToString();
    }
}
