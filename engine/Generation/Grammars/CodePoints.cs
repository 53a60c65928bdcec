using System.Text;

namespace Pure.Engine.Generation.Grammars;

/// <summary>A set of Unicode scalar values, as ranges in ascending order that neither touch nor overlap. Surrogates are in none.</summary>
internal sealed class CodePoints
{
    private const int Last = 0x10FFFF;
    private const int FirstSurrogate = 0xD800;
    private const int LastSurrogate = 0xDFFF;

    private readonly (int First, int Last)[] _ranges;

    private CodePoints((int First, int Last)[] ranges) => _ranges = ranges;

    /// <summary>No character.</summary>
    internal static CodePoints None { get; } = new([]);

    /// <summary>Every character.</summary>
    internal static CodePoints All { get; } = None.Complement();

    /// <summary>The ranges, first and last included.</summary>
    internal ReadOnlySpan<(int First, int Last)> Ranges => _ranges;

    /// <summary>Whether there is nothing in it.</summary>
    internal bool IsEmpty => _ranges.Length == 0;

    /// <summary>The characters of some ranges, which may overlap.</summary>
    internal static CodePoints Of(params IEnumerable<(int First, int Last)> ranges)
    {
        var merged = new List<(int First, int Last)>();
        foreach ((int first, int last) in WithoutSurrogates(ranges).OrderBy(range => range.First))
        {
            if (merged.Count > 0 && first <= merged[^1].Last + 1)
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, last));
            else
                merged.Add((first, last));
        }

        return new CodePoints([.. merged]);
    }

    /// <summary>One character.</summary>
    internal static CodePoints One(int character) => Of((character, character));

    /// <summary>The characters of a text.</summary>
    internal static CodePoints AnyOf(string characters) => Of(characters.EnumerateRunes().Select(rune => (rune.Value, rune.Value)));

    /// <summary>Whether a character is in it.</summary>
    internal bool Contains(int character) => Array.Exists(_ranges, range => range.First <= character && character <= range.Last);

    /// <summary>The characters of either.</summary>
    internal CodePoints Union(CodePoints other) => Of(_ranges.Concat(other._ranges));

    /// <summary>The characters that are not in it.</summary>
    internal CodePoints Complement()
    {
        var gaps = new List<(int First, int Last)>();
        int next = 0;
        foreach ((int first, int last) in _ranges)
        {
            if (first > next)
                gaps.Add((next, first - 1));
            next = last + 1;
        }

        if (next <= Last)
            gaps.Add((next, Last));
        return Of(gaps);
    }

    /// <summary>The characters that are in it and not in another.</summary>
    internal CodePoints Except(CodePoints other) => Complement().Union(other).Complement();

    /// <summary>One character of the set, in UTF-8.</summary>
    internal Expression ToUtf8()
    {
        var options = new List<Expression>();
        foreach ((int first, int last) in _ranges)
            AddUtf8(first, last, options);
        return Expression.Any(options);
    }

    /// <summary>
    /// Cuts a range where the length in UTF-8 changes, and then until all but the last byte of its ends agree or the bytes after them span all
    /// values: then it is a sequence of byte ranges.
    /// </summary>
    private static void AddUtf8(int first, int last, List<Expression> options)
    {
        foreach (int bound in (ReadOnlySpan<int>)[0x7F, 0x7FF, 0xFFFF])
        {
            if (first <= bound && bound < last)
            {
                AddUtf8(first, bound, options);
                AddUtf8(bound + 1, last, options);
                return;
            }
        }

        for (int bits = 6; last > 0x7F && bits < 24; bits += 6)
        {
            int mask = (1 << bits) - 1;
            if ((first & ~mask) == (last & ~mask))
                break;
            int cut = (first & mask) != 0 ? first | mask : (last & mask) != mask ? (last & ~mask) - 1 : -1;
            if (cut >= 0)
            {
                AddUtf8(first, cut, options);
                AddUtf8(cut + 1, last, options);
                return;
            }
        }

        Span<byte> low = stackalloc byte[4];
        Span<byte> high = stackalloc byte[4];
        int length = new Rune(first).EncodeToUtf8(low);
        new Rune(last).EncodeToUtf8(high);
        var bytes = new Expression[length];
        for (int at = 0; at < length; at++)
            bytes[at] = Expression.Bytes(ByteSet.Range(low[at], high[at]));
        options.Add(Expression.Sequence(bytes));
    }

    private static IEnumerable<(int First, int Last)> WithoutSurrogates(IEnumerable<(int First, int Last)> ranges)
    {
        foreach ((int first, int last) in ranges)
        {
            if (first <= Math.Min(last, FirstSurrogate - 1))
                yield return (first, Math.Min(last, FirstSurrogate - 1));
            if (Math.Max(first, LastSurrogate + 1) <= last)
                yield return (Math.Max(first, LastSurrogate + 1), last);
        }
    }
}
