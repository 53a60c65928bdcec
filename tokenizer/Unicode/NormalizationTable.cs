using System.Globalization;
using System.Text;

namespace Pure.Tokenizers.Unicode;

/// <summary>
/// What Unicode's normalization forms (UAX #15) need to know of each code point, read from <c>normalization.txt</c>. The
/// runtime's own normalization does nothing where globalization is invariant, and elsewhere depends on the machine's ICU.
/// </summary>
internal static class NormalizationTable
{
    /// <summary>One step of decomposition, canonical and of both kinds.</summary>
    private static readonly Dictionary<int, int[]> Canonical = [];
    private static readonly Dictionary<int, int[]> Compatible = [];
    private static readonly Dictionary<int, byte> Classes = [];
    private static readonly Dictionary<(int First, int Second), int> Composites = [];

    static NormalizationTable()
    {
        using var stream = typeof(NormalizationTable).Assembly.GetManifestResourceStream("normalization.txt")!;
        using var reader = new StreamReader(stream, Encoding.ASCII);
        while (reader.ReadLine() is { } line)
        {
            int mark = line.AsSpan().IndexOfAny("=>~:");
            if (line.StartsWith('#') || mark < 0)
                continue;
            var left = line.AsSpan(0, mark);
            var right = line.AsSpan(mark + 1);
            if (line[mark] == ':')
                AddClass(left, byte.Parse(right, CultureInfo.InvariantCulture));
            else
                AddDecomposition(Hex(left), [.. right.ToString().Split(' ').Select(part => Hex(part))], line[mark]);
        }
    }

    /// <summary>The canonical combining class; 0 for a starter.</summary>
    public static int ClassOf(int codePoint) => Classes.GetValueOrDefault(codePoint);

    /// <summary>The next step of a code point's decomposition, or null if it has none.</summary>
    public static int[]? Decompose(int codePoint, bool compatible) =>
        Canonical.GetValueOrDefault(codePoint) ?? (compatible ? Compatible.GetValueOrDefault(codePoint) : null);

    /// <summary>The primary composite of two code points, or -1.</summary>
    public static int Compose(int first, int second) => Composites.GetValueOrDefault((first, second), -1);

    private static void AddClass(ReadOnlySpan<char> range, byte value)
    {
        int dash = range.IndexOf('-');
        int first = Hex(dash < 0 ? range : range[..dash]);
        int last = dash < 0 ? first : Hex(range[(dash + 1)..]);
        for (int codePoint = first; codePoint <= last; codePoint++)
            Classes.Add(codePoint, value);
    }

    private static void AddDecomposition(int codePoint, int[] parts, char kind)
    {
        (kind == '~' ? Compatible : Canonical).Add(codePoint, parts);
        if (kind == '=')
            Composites.Add((parts[0], parts[1]), codePoint);
    }

    private static int Hex(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
