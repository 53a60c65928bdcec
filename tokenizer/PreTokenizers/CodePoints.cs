using System.Buffers;
using System.Text;

namespace Pure.Tokenizers.PreTokenizers;

/// <summary>A text as code points with their classes, in rented memory.</summary>
internal readonly ref struct CodePoints
{
    private readonly int[] _codePoints;
    private readonly CharacterClass[] _classes;
    private readonly int _units;

    /// <param name="text">Well-formed UTF-16.</param>
    public CodePoints(ReadOnlySpan<char> text)
    {
        _codePoints = ArrayPool<int>.Shared.Rent(text.Length);
        _classes = ArrayPool<CharacterClass>.Shared.Rent(text.Length);
        _units = text.Length;
        int count = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            _codePoints[count] = rune.Value;
            _classes[count++] = CharacterClasses.Of(rune.Value);
        }
        Count = count;
    }

    public int Count { get; }

    public Piece Piece => new(_codePoints.AsSpan(0, Count), _classes.AsSpan(0, Count));

    /// <summary>Turns ascending counts of code points into counts of UTF-16 units.</summary>
    public void ToUnits(List<int> counts)
    {
        if (Count == _units)
            return;
        int at = 0;
        int extra = 0;
        for (int i = 0; i < counts.Count; i++)
        {
            for (; at < counts[i]; at++)
                extra += _codePoints[at] > char.MaxValue ? 1 : 0;
            counts[i] += extra;
        }
    }

    /// <summary>Adds the matches of a pattern, in UTF-16 units counted from <paramref name="offset"/>.</summary>
    public void Find(Pattern pattern, int offset, List<(int Start, int End)> matches)
    {
        var piece = Piece;
        int unit = offset;
        for (int at = 0; at < Count;)
        {
            int end = pattern(piece, at);
            int start = unit;
            for (int last = end < 0 ? ~end : Math.Max(end, at + 1); at < last; at++)
                unit += _codePoints[at] > char.MaxValue ? 2 : 1;
            if (end == at)
                matches.Add((start, unit));
        }
    }

    /// <summary>Gives the memory back; nothing here may be used after.</summary>
    public void Return()
    {
        ArrayPool<int>.Shared.Return(_codePoints);
        ArrayPool<CharacterClass>.Shared.Return(_classes);
    }
}
