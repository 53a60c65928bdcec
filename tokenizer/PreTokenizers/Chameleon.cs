namespace Pure.Tokenizers.PreTokenizers;

/// <summary>What Chameleon sets apart before words: the names of its sentinels and image tokens, and blanks.</summary>
internal static class Chameleon
{
    /// <summary><c>&lt;sentinel:[0-9]+&gt;</c></summary>
    public static int Sentinel(Piece piece, int at)
    {
        int start = After(piece, at, "<sentinel:");
        int end = start;
        while (start > at && piece[end] is >= '0' and <= '9')
            end++;
        return end > start && piece[end] == '>' ? end + 1 : at;
    }

    /// <summary><c>(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z</c></summary>
    public static int Image(Piece piece, int at)
    {
        int start = After(piece, at, "IMGIMG");
        int end = start;
        while (end - start < 4 && piece[end] is >= 'A' and <= 'I')
            end++;
        return start > at && end > start && piece[end] == 'Z' ? end + 1 : at;
    }

    /// <summary><c>([\t\n]|    |  )</c>: one, four or two.</summary>
    public static int Blank(Piece piece, int at)
    {
        if (piece[at] is '\t' or '\n')
            return at + 1;
        int end = After(piece, at, "    ");
        return end > at ? end : After(piece, at, "  ");
    }

    private static int After(Piece piece, int at, string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (piece[at + i] != text[i])
                return at;
        }
        return at + text.Length;
    }
}
