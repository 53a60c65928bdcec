namespace Pure.Serve.Comparing;

/// <summary>Their names of our intermediates: pairs of patterns in which <c>*</c> stands for the same text on both sides.</summary>
internal sealed class NameMap
{
    private readonly List<(string Ours, string Theirs)> _pairs = [];

    /// <param name="pairs">Such as <c>blk.*.attn_out=layers.*.attn,logits=lm_head</c>; null for none.</param>
    /// <exception cref="UsageException">It is not of that form.</exception>
    internal NameMap(string? pairs)
    {
        foreach (string pair in pairs?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            string[] sides = pair.Split('=', StringSplitOptions.TrimEntries);
            if (sides.Length != 2 || sides.Any(side => side.Length == 0) || Stars(sides[0]) > 1 || Stars(sides[0]) != Stars(sides[1]))
            {
                throw new UsageException(
                    $"--map has \"{pair}\", expected OURS=THEIRS with at most one * on each side; give pairs such as "
                    + "--map blk.*.attn_out=layers.*.attn,logits=lm_head.");
            }

            _pairs.Add((sides[0], sides[1]));
        }
    }

    /// <summary>Their name of <paramref name="ours"/>, by the first pattern that fits; the same where none does.</summary>
    internal string Theirs(string ours)
    {
        foreach ((string pattern, string theirs) in _pairs)
        {
            int star = pattern.IndexOf('*');
            if (star < 0)
            {
                if (pattern == ours)
                    return theirs;
                continue;
            }

            string before = pattern[..star];
            string after = pattern[(star + 1)..];
            if (ours.Length >= before.Length + after.Length
                && ours.StartsWith(before, StringComparison.Ordinal) && ours.EndsWith(after, StringComparison.Ordinal))
            {
                return theirs.Replace("*", ours[before.Length..^after.Length], StringComparison.Ordinal);
            }
        }

        return ours;
    }

    private static int Stars(string side) => side.Count(letter => letter == '*');
}
