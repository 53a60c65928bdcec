using Pure.Engine;

namespace Pure.Chat;

/// <summary>
/// Cuts a text that comes in pieces at the first of some strings to be complete (of two that end together, at the longer one). What
/// comes out does not depend on the pieces: text that may be the beginning of a stop string is held back until it is or is not.
/// </summary>
internal sealed class StopStrings
{
    private readonly string[] _strings;
    private string _held = "";

    /// <exception cref="InvalidRequestException">A string is empty.</exception>
    internal StopStrings(IReadOnlyCollection<string> strings)
    {
        _strings = [.. strings];
        if (_strings.Any(string.IsNullOrEmpty))
            throw new InvalidRequestException("A stop string is empty and would end every text at once; leave it out.");
    }

    /// <summary>The string that was found; nothing comes out after it.</summary>
    internal string? Found { get; private set; }

    /// <summary>Takes the next piece and returns the text that is certain now.</summary>
    internal string Append(string piece)
    {
        if (Found is not null || piece.Length == 0)
            return "";
        string text = _held + piece;
        int begin = FindFirst(text);
        if (begin >= 0)
        {
            _held = "";
            return text[..begin];
        }

        int certain = text.Length - LongestBeginning(text);
        _held = text[certain..];
        return text[..certain];
    }

    /// <summary>The text has ended: returns what was held back.</summary>
    internal string Flush()
    {
        string rest = _held;
        _held = "";
        return rest;
    }

    private int FindFirst(string text)
    {
        int first = -1;
        int firstEnd = int.MaxValue;
        foreach (string stop in _strings)
        {
            int begin = text.IndexOf(stop, StringComparison.Ordinal);
            int end = begin + stop.Length;
            if (begin < 0 || end > firstEnd || (end == firstEnd && begin >= first))
                continue;
            (first, firstEnd, Found) = (begin, end, stop);
        }

        return first;
    }

    /// <summary>Length of the longest end of the text with which a stop string begins.</summary>
    private int LongestBeginning(string text)
    {
        int longest = 0;
        foreach (string stop in _strings)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan().EndsWith(stop.AsSpan(0, length), StringComparison.Ordinal))
                    longest = length;
            }
        }

        return longest;
    }
}
