using System.Text;

namespace Pure.Serve;

/// <summary>Rows with aligned columns, plain enough for a terminal, a file and grep alike.</summary>
internal sealed class TextTable
{
    private readonly bool[] _rightAligned;
    private readonly List<string[]> _rows = [];

    /// <summary>A table with these column titles; a title that begins with <c>&gt;</c> aligns its column to the right.</summary>
    internal TextTable(params string[] titles)
    {
        _rightAligned = [.. titles.Select(title => title.StartsWith('>'))];
        _rows.Add([.. titles.Select(title => title.TrimStart('>'))]);
    }

    internal void Add(params string[] cells) => _rows.Add(cells);

    /// <inheritdoc/>
    public override string ToString()
    {
        int[] widths = [.. _rightAligned.Select((_, column) => _rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        foreach (string[] row in _rows)
        {
            var line = new StringBuilder();
            for (int column = 0; column < row.Length; column++)
            {
                string cell = row[column];
                line.Append(column == 0 ? "" : "  ");
                line.Append(_rightAligned[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            }

            text.Append(line.ToString().TrimEnd()).Append('\n');
        }

        return text.ToString();
    }
}
