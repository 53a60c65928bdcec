namespace Pure.Chat.Templates;

/// <summary>What Python says about letters.</summary>
internal static class PythonText
{
    /// <summary>What <c>str.isspace</c> says.</summary>
    internal static bool IsSpace(char letter) => char.IsWhiteSpace(letter) || letter is >= '\u001C' and <= '\u001F';

    /// <summary>Whether there are only blanks, or nothing.</summary>
    internal static bool IsBlank(ReadOnlySpan<char> text)
    {
        foreach (char letter in text)
        {
            if (!IsSpace(letter))
                return false;
        }

        return true;
    }

    /// <summary><c>str.lstrip</c>; null strips blanks.</summary>
    internal static string StripBegin(string text, string? letters = null)
    {
        int begin = 0;
        while (begin < text.Length && Strips(text, begin, letters) is > 0 and int width)
            begin += width;
        return text[begin..];
    }

    /// <summary><c>str.rstrip</c>; null strips blanks.</summary>
    internal static string StripEnd(string text, string? letters = null)
    {
        int end = text.Length;
        while (end > 0)
        {
            int last = end > 1 && char.IsSurrogatePair(text[end - 2], text[end - 1]) ? end - 2 : end - 1;
            if (Strips(text, last, letters) == 0)
                break;
            end = last;
        }

        return text[..end];
    }

    /// <summary><c>str.strip</c></summary>
    internal static string Strip(string text, string? letters = null) => StripBegin(StripEnd(text, letters), letters);

    /// <summary><c>str.splitlines</c></summary>
    internal static List<string> SplitLines(string text, bool keepEnds = false)
    {
        var lines = new List<string>();
        int begin = 0;
        for (int at = 0; at < text.Length; at++)
        {
            if (!IsLineEnd(text[at]))
                continue;
            int end = at;
            if (text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n')
                at++;
            lines.Add(text[begin..(keepEnds ? at + 1 : end)]);
            begin = at + 1;
        }

        if (begin < text.Length)
            lines.Add(text[begin..]);
        return lines;
    }

    /// <summary><c>str.upper</c>; of the letters that become several, the common ones.</summary>
    internal static string Upper(string text)
    {
        string upper = text.ToUpperInvariant();
        return upper.Contains('ß') ? upper.Replace("ß", "SS", StringComparison.Ordinal) : upper;
    }

    /// <summary><c>str.lower</c></summary>
    internal static string Lower(string text)
    {
        string lower = text.ToLowerInvariant();
        if (!text.Contains('Σ'))
            return lower;
        // A sigma at the end of a word has a form of its own.
        char[] letters = lower.ToCharArray();
        for (int i = 1; i < letters.Length; i++)
        {
            if (text[i] == 'Σ' && char.IsLetter(letters[i - 1]) && (i + 1 == letters.Length || !char.IsLetter(letters[i + 1])))
                letters[i] = 'ς';
        }

        return new string(letters);
    }

    /// <summary><c>str.capitalize</c></summary>
    internal static string Capitalize(string text)
    {
        int first = FirstWidth(text);
        return Upper(text[..first]) + Lower(text[first..]);
    }

    /// <summary><c>str.title</c>: a letter after none becomes upper, the others lower.</summary>
    internal static string Title(string text)
    {
        char[] letters = Lower(text).ToCharArray();
        bool inWord = false;
        for (int i = 0; i < letters.Length; i++)
        {
            bool isLetter = char.IsLetter(letters[i]);
            if (isLetter && !inWord)
                letters[i] = char.ToUpperInvariant(letters[i]);
            inWord = isLetter;
        }

        return new string(letters);
    }

    /// <summary>Escapes what HTML would read as its own.</summary>
    internal static string Escape(string text, Budget budget)
    {
        budget.Characters(text.Length / 8);
        if (!text.AsSpan().ContainsAny("&<>'\""))
            return text;
        var escaped = new BoundedText(budget);
        foreach (char letter in text)
        {
            switch (letter)
            {
                case '&':
                    escaped.Append("&amp;");
                    break;
                case '<':
                    escaped.Append("&lt;");
                    break;
                case '>':
                    escaped.Append("&gt;");
                    break;
                case '\'':
                    escaped.Append("&#39;");
                    break;
                case '"':
                    escaped.Append("&#34;");
                    break;
                default:
                    escaped.Append(letter);
                    break;
            }
        }

        return escaped.ToString();
    }

    /// <summary>UTF-16 units of the first code point.</summary>
    internal static int FirstWidth(string text) =>
        text.Length == 0 ? 0 : text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;

    private static bool IsLineEnd(char letter) =>
        letter is '\n' or '\r' or '\v' or '\f' or (>= '\u001C' and <= '\u001E') or '\u0085' or '\u2028' or '\u2029';

    /// <summary>Units of the code point at <paramref name="at"/> if it is to be stripped, else 0.</summary>
    private static int Strips(string text, int at, string? letters)
    {
        if (letters is null)
            return IsSpace(text[at]) ? 1 : 0;
        int width = at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        return letters.AsSpan().Contains(text.AsSpan(at, width), StringComparison.Ordinal) ? width : 0;
    }
}
