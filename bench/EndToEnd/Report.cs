using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pure.Serve.Benchmark;

namespace Pure.Bench.EndToEnd;

/// <summary>The figures, and everything that they need to be believed.</summary>
internal sealed record Report(Machine Machine, string Command, string Model, long WeightBytes, long WeightBytesPerToken, int Runs, IReadOnlyList<Row> Rows)
{
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.Report) + "\n";

    public string ToMarkdown()
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        var text = new StringBuilder();
        text.Append(culture, $"- machine: {Machine.Cpu}, {Machine.Cores} cores, {Machine.System}, {Machine.Runtime}; load before: {Machine.Load}\n");
        text.Append(culture, $"- date and version: {Machine.Date}, {Machine.Version}\n");
        text.Append(culture, $"- command: `{Command}`\n");
        text.Append(culture, $"- model: {Model}, {WeightBytes / 1e6:F2} MB of weights, of which a decoded token reads {WeightBytesPerToken / 1e6:F2} MB\n");
        text.Append(culture, $"- medians of {Runs} rounds, each engine once in each; lowest and highest in brackets; ratios above 1: Pure is faster\n\n");
        IReadOnlyList<PeerSpeed> peers = Rows[0].Peers;
        text.Append("| test | isa | activations | threads | Pure tokens/s | weights read | of read bandwidth |");
        foreach (PeerSpeed peer in peers)
            text.Append(culture, $" {peer.Name} tokens/s | ratio |");
        text.Append("\n|---|---|---|---:|---:|---:|---:|").Insert(text.Length, "---:|---:|", peers.Count).Append('\n');
        foreach (Row row in Rows)
        {
            text.Append(culture, $"| {row.Test} | {row.Isa} | {row.Activations} | {row.Threads} | {Speed(row.Speed)} |");
            text.Append(row is { WeightsRead: { } read, Bandwidth: { } roof }
                ? string.Create(culture, $" {read / 1e9:F2} GB/s | {100 * read / roof:F0} % of {roof / 1e9:F1} GB/s |")
                : " | |");
            foreach (PeerSpeed peer in row.Peers)
                text.Append(culture, $" {Speed(peer.Speed)} | {row.Speed.Median / peer.Speed.Median:F2} |");
            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Speed(Measured speed) =>
        string.Create(CultureInfo.InvariantCulture, $"{speed.Median:F1} ({speed.Lowest:F1}–{speed.Highest:F1})");
}

/// <summary>One speed, in tokens per second.</summary>
/// <param name="Test">pp N: a prompt of N tokens read; tg N: N tokens decoded one by one.</param>
/// <param name="Isa">Instruction set.</param>
/// <param name="Activations">What quantised weights are multiplied with.</param>
/// <param name="Threads">Threads of every engine.</param>
/// <param name="Speed">Pure's.</param>
/// <param name="WeightsRead">Bytes of weights per second; for tg only.</param>
/// <param name="Bandwidth">What the same number of threads can read from memory, in bytes per second; for tg only.</param>
/// <param name="Peers">The others'.</param>
internal sealed record Row(
    string Test, string Isa, string Activations, int Threads, Measured Speed, double? WeightsRead, double? Bandwidth, IReadOnlyList<PeerSpeed> Peers);

/// <summary>Another engine's speed.</summary>
internal sealed record PeerSpeed(string Name, Measured Speed);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Report))]
internal sealed partial class ReportJson : JsonSerializerContext;
