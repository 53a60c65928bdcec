namespace Pure.Chat.Templates;

/// <summary>
/// Texts as Python counts them, in code points. Almost all texts have one UTF-16 unit for each, and are then cut where they stand.
/// </summary>
internal static class CodePoints
{
    /// <summary>Whether every code point is one unit.</summary>
    internal static bool AreUnits(string text) => !text.AsSpan().ContainsAnyInRange('\uD800', '\uDBFF');

    internal static int Count(string text)
    {
        if (AreUnits(text))
            return text.Length;
        int pairs = 0;
        for (int i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i]))
                pairs++;
        }

        return text.Length - pairs;
    }

    /// <summary>The units before code point <paramref name="index"/>.</summary>
    internal static int ToUnits(string text, int index)
    {
        if (AreUnits(text))
            return index;
        int at = 0;
        for (; index > 0 && at < text.Length; index--)
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        return at;
    }

    /// <summary>The code points before unit <paramref name="unit"/>.</summary>
    internal static int FromUnits(string text, int unit) => AreUnits(text) ? unit : Count(text[..unit]);

    /// <summary>The code point at an index, from the end where it is negative, or null where there is none.</summary>
    internal static string? At(string text, long index)
    {
        int count = Count(text);
        if (!Numbers.InRange(ref index, count))
            return null;
        int at = ToUnits(text, (int)index);
        return text[at..ToUnits(text, (int)index + 1)];
    }

    internal static IEnumerable<string> Enumerate(string text)
    {
        for (int at = 0; at < text.Length;)
        {
            int width = at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
            yield return text.Substring(at, width);
            at += width;
        }
    }

    /// <summary><c>text[from:]</c> in steps of <paramref name="stride"/>, <paramref name="count"/> code points.</summary>
    internal static string Part(string text, long from, long count, long stride)
    {
        if (count == 0)
            return "";
        if (stride == 1)
        {
            int begin = ToUnits(text, (int)from);
            return text[begin..ToUnits(text, (int)(from + count))];
        }

        if (AreUnits(text))
        {
            return string.Create((int)count, (text, from, stride), static (part, source) =>
            {
                for (int i = 0; i < part.Length; i++)
                    part[i] = source.text[(int)(source.from + (i * source.stride))];
            });
        }

        string[] points = [.. Enumerate(text)];
        return string.Concat(Enumerable.Range(0, (int)count).Select(i => points[from + (i * stride)]));
    }
}
