using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pure.Bench.EndToEnd;

/// <summary>The figures, and everything that they need to be believed.</summary>
internal sealed record Report(
    Machine Machine, string Command, string Model, long WeightBytes, long WeightBytesPerToken, int Runs, IReadOnlyList<Row> Rows)
{
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.Report) + "\n";

    public string ToMarkdown()
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.Append(culture, $"- machine: {Machine.Cpu}, {Machine.Cores} cores, {Machine.System}, {Machine.Runtime}; load before: {Machine.LoadBefore:F2}\n");
        text.Append(culture, $"- date and commit: {Machine.Date}, {Machine.Commit}\n");
        text.Append(culture, $"- command: `{Command}`\n");
        text.Append(culture, $"- model: {Model}, {WeightBytes / 1e6:F2} MB of weights, of which a decoded token reads {WeightBytesPerToken / 1e6:F2} MB\n");
        text.Append(culture, $"- medians of {Runs} runs after one warm-up; lowest and highest in brackets\n\n");
        bool hasPeer = Rows.Any(row => row.Peer is not null);
        text.Append("| test | isa | activations | threads | tokens/s | weights read | of read bandwidth |");
        text.Append(hasPeer ? " peer tokens/s | ratio |\n" : "\n");
        text.Append("|---|---|---|---:|---:|---:|---:|").Append(hasPeer ? "---:|---:|\n" : "\n");
        foreach (Row row in Rows)
        {
            text.Append(culture, $"| {row.Test} | {row.Isa} | {row.Activations} | {row.Threads} | {row.Median:F1} ({row.Lowest:F1}–{row.Highest:F1}) |");
            text.Append(row is { WeightsRead: { } read, Bandwidth: { } roof }
                ? string.Create(culture, $" {read:F2} GB/s | {100 * read / roof:F0} % of {roof:F1} GB/s |")
                : " | |");
            if (hasPeer)
                text.Append(row.Peer is { } peer ? string.Create(culture, $" {peer:F1} | {row.Median / peer:F2} |") : " | |");
            text.Append('\n');
        }

        return text.ToString();
    }
}

/// <summary>One speed, in tokens per second.</summary>
/// <param name="Test">pp N: a prompt of N tokens read; tg N: N tokens written one by one after it.</param>
/// <param name="WeightsRead">10^9 bytes of weights per second; for tg only.</param>
/// <param name="Bandwidth">What the same threads can read from memory, in 10^9 bytes per second; for tg only.</param>
/// <param name="Peer">The peer's median.</param>
internal sealed record Row(
    string Test, string Isa, string Activations, int Threads, double Median, double Lowest, double Highest,
    double? WeightsRead, double? Bandwidth, double? Peer)
{
    public static double MedianOf(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Report))]
internal sealed partial class ReportJson : JsonSerializerContext;
