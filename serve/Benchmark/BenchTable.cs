using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Pure.Serve.Benchmark;

/// <summary>Reports as people and spreadsheets read them.</summary>
internal static class BenchTable
{
    /// <summary>The columns of llama-bench, so that rows paste side by side, and how near decoding comes to the memory's speed.</summary>
    private static readonly string[] Titles = ["model", "size", "params", "backend", ">threads", "test", ">t/s", ">of read bandwidth"];

    /// <summary>Aligned columns.</summary>
    internal static string Text(IReadOnlyList<BenchReport> reports)
    {
        var table = new TextTable(Titles);
        foreach (string[] row in reports.SelectMany(Rows))
            table.Add(row);
        return table.ToString();
    }

    /// <summary>A table in Markdown under what a figure needs to be believed.</summary>
    internal static string Markdown(IReadOnlyList<BenchReport> reports, string command)
    {
        Machine machine = reports[0].Machine;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"- machine: {machine.Cpu}, {machine.Cores} cores, {machine.System}, {machine.Runtime}; load before: {machine.Load}\n");
        text.Append(CultureInfo.InvariantCulture, $"- date and version: {machine.Date}, {machine.Version}\n");
        text.Append(CultureInfo.InvariantCulture, $"- command: `{command}`\n");
        text.Append(CultureInfo.InvariantCulture, $"- medians of {reports[0].Repetitions} runs after a warm-up; lowest and highest in brackets\n\n");
        Line(Titles.Select(title => title.TrimStart('>')));
        Line(Titles.Select(title => title.StartsWith('>') ? "---:" : "---"));
        foreach (string[] row in reports.SelectMany(Rows))
            Line(row);
        return text.ToString();

        void Line(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    /// <summary>One line for each report under the names that <c>--json</c> has.</summary>
    internal static string Csv(IReadOnlyList<BenchReport> reports)
    {
        List<Dictionary<string, string>> lines = [.. reports.Select(report => Flatten(JsonSerializer.SerializeToElement(report, Json.Readable.BenchReport)))];
        string[] names = [.. lines.SelectMany(line => line.Keys).Distinct()];
        var text = new StringBuilder();
        text.AppendJoin(',', names).Append('\n');
        foreach (Dictionary<string, string> line in lines)
            text.AppendJoin(',', names.Select(name => line.GetValueOrDefault(name, ""))).Append('\n');
        return text.ToString();
    }

    private static IEnumerable<string[]> Rows(BenchReport report)
    {
        string depth = report.Depth > 0 ? $" @ d{report.Depth}" : "";
        if (report.PrefillTps is { } prefill)
            yield return Row($"pp{report.Prompt}{depth}", prefill, report.PrefillTpsLowest!.Value, report.PrefillTpsHighest!.Value, "");
        if (report.DecodeTps is { } decode)
        {
            string batch = report.Batch > 1 ? $" × {report.Batch}" : "";
            string share = report.ReadShare is { } part
                ? $"{Figures.Decimal(part * 100, 0)} % of {Figures.Decimal(report.ReadBandwidth / 1e9, 1)} GB/s"
                : "";
            yield return Row($"tg{report.Generate}{batch}{depth}", decode, report.DecodeTpsLowest!.Value, report.DecodeTpsHighest!.Value, share);
        }

        string[] Row(string test, double median, double lowest, double highest, string share) =>
        [
            report.Model.EndsWith(report.Type, StringComparison.OrdinalIgnoreCase) ? report.Model : $"{report.Model} {report.Type}",
            Figures.Bytes(report.WeightBytes),
            $"{Figures.Decimal(report.Parameters / 1e6, 2)} M",
            $"CPU {report.Isa}",
            $"{report.Threads}",
            test,
            $"{Figures.Decimal(median, 2)} ({Figures.Decimal(lowest, 2)}–{Figures.Decimal(highest, 2)})",
            share,
        ];
    }

    private static Dictionary<string, string> Flatten(JsonElement report)
    {
        var cells = new Dictionary<string, string>();
        foreach (JsonProperty property in report.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty inner in property.Value.EnumerateObject())
                    cells[$"{property.Name}_{inner.Name}"] = Cell(inner.Value);
            }
            else
            {
                cells[property.Name] = Cell(property.Value);
            }
        }

        return cells;
    }

    private static string Cell(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? $"\"{value.GetString()!.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
        : value.GetRawText();
}
