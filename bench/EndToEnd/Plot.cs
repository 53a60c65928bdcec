using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Pure.Bench.EndToEnd;

/// <summary>Several reports beside one peer, as a table for README and as bars of ratios.</summary>
internal sealed class Plot
{
    private const int Left = 170;
    private const int BarHeight = 14;
    private const int CellHeight = 44;
    private const int Width = 720;
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;
    private readonly List<(string Name, Row Prompt, Row Generated)> _cells = [];

    /// <param name="paths">What <c>--out</c> wrote, NAME.json; a leading date is left out of the cell's name.</param>
    /// <exception cref="FormatException">A file is no report, or compares nothing.</exception>
    internal Plot(IEnumerable<string> paths)
    {
        foreach (string path in paths)
        {
            Report report = Read(path);
            string name = Path.GetFileNameWithoutExtension(path);
            if (name.Length > 11 && DateOnly.TryParseExact(name.AsSpan(0, 10), "yyyy-MM-dd", out _))
                name = name[11..];
            Row prompt = report.Rows.LastOrDefault(row => row.Test.StartsWith("pp", StringComparison.Ordinal) && row.Peers.Count > 0)
                ?? throw new FormatException($"{path} compares Pure with nothing; run it again with --peer.");
            Row generated = report.Rows.Last(row => row.Test.StartsWith("tg", StringComparison.Ordinal) && row.Peers.Count > 0);
            _cells.Add((name, prompt, generated));
        }
    }

    /// <summary>A table of tokens per second and ratios.</summary>
    internal string ToMarkdown()
    {
        string peer = _cells[0].Prompt.Peers[0].Name;
        var text = new StringBuilder();
        text.Append(Culture, $"| tokens/s, {_cells[0].Prompt.Threads} threads | prefill: Pure | {peer} | ratio | decode: Pure | {peer} | ratio | of read bandwidth |\n");
        text.Append("|---|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach ((string name, Row prompt, Row generated) in _cells)
        {
            text.Append(Culture, $"| {name} | {prompt.Speed.Median:F1} | {prompt.Peers[0].Speed.Median:F1} | {Ratio(prompt):F2} |");
            text.Append(Culture, $" {generated.Speed.Median:F1} | {generated.Peers[0].Speed.Median:F1} | {Ratio(generated):F2} |");
            text.Append(Culture, $" {100 * generated.WeightsRead!.Value / generated.Bandwidth!.Value:F0} % |\n");
        }

        return text.ToString();
    }

    /// <summary>Two bars for each cell: how many times as fast as the peer Pure is in prefill and in decode.</summary>
    internal string ToSvg()
    {
        int height = 60 + (_cells.Count * CellHeight);
        double most = Math.Max(2, Math.Ceiling(_cells.Max(cell => Math.Max(Ratio(cell.Prompt), Ratio(cell.Generated)))));
        double scale = (Width - Left - 60) / most;
        var svg = new StringBuilder();
        svg.Append(Culture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
        svg.Append(Culture, $"<text x=\"12\" y=\"22\" fill=\"#222222\">Pure / {_cells[0].Prompt.Peers[0].Name}, tokens per second, {_cells[0].Prompt.Threads} threads</text>\n");
        svg.Append("<rect x=\"520\" y=\"11\" width=\"12\" height=\"12\" fill=\"#1f6feb\"/><text x=\"537\" y=\"22\" fill=\"#222222\">prefill</text>\n");
        svg.Append("<rect x=\"600\" y=\"11\" width=\"12\" height=\"12\" fill=\"#d97706\"/><text x=\"617\" y=\"22\" fill=\"#222222\">decode</text>\n");
        for (int tick = 0; tick <= most; tick++)
        {
            double x = Left + (tick * scale);
            svg.Append(Culture, $"<line x1=\"{x:F1}\" y1=\"36\" x2=\"{x:F1}\" y2=\"{height - 20}\" stroke=\"{(tick == 1 ? "#222222" : "#dddddd")}\"/>");
            svg.Append(Culture, $"<text x=\"{x:F1}\" y=\"{height - 5}\" text-anchor=\"middle\" fill=\"#555555\">{tick}×</text>\n");
        }

        for (int cell = 0; cell < _cells.Count; cell++)
        {
            int y = 42 + (cell * CellHeight);
            svg.Append(Culture, $"<text x=\"{Left - 10}\" y=\"{y + BarHeight + 4}\" text-anchor=\"end\" fill=\"#222222\">{_cells[cell].Name}</text>\n");
            Bar(svg, y, Ratio(_cells[cell].Prompt), scale, "#1f6feb");
            Bar(svg, y + BarHeight + 2, Ratio(_cells[cell].Generated), scale, "#d97706");
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static void Bar(StringBuilder svg, int y, double ratio, double scale, string color)
    {
        svg.Append(Culture, $"<rect x=\"{Left}\" y=\"{y}\" width=\"{ratio * scale:F1}\" height=\"{BarHeight}\" fill=\"{color}\"/>");
        svg.Append(Culture, $"<text x=\"{Left + (ratio * scale) + 5:F1}\" y=\"{y + 12}\" fill=\"#222222\">{ratio:F2}</text>\n");
    }

    private static double Ratio(Row row) => row.Speed.Median / row.Peers[0].Speed.Median;

    private static Report Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), ReportJson.Default.Report)
                ?? throw new FormatException($"{path} holds no report.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"{path} cannot be read as a report: {error.Message}", error);
        }
    }
}
