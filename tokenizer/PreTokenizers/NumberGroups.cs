using System.Globalization;

namespace Pure.Tokenizers.PreTokenizers;

/// <summary>Numbers cut into groups of three from the right, as people write them: 1|234|567. A run of digits is looked at
/// once, where it begins: inside a run what came before has matched, so that threes are left.</summary>
internal static class NumberGroups
{
    /// <summary>Trinity (AFMoE): every run of <c>\p{N}</c>.</summary>
    public static int Threes(Piece piece, int at)
    {
        if (!piece.Is(at, CharacterClass.Number))
            return at;
        return piece.Is(at - 1, CharacterClass.Number) ? at + 3 : at + First(piece.RunEnd(at, CharacterClass.Number) - at);
    }

    /// <summary>Tiny Aya: <c>\d{1,3}(?=(?:\d{3})*\b)</c>. No word goes on after the last digit.</summary>
    public static int ThreesBeforeWordEnd(Piece piece, int at)
    {
        if (!IsDigit(piece, at))
            return at;
        if (IsDigit(piece, at - 1))
            return at + 3;
        int end = DigitsEnd(piece, at);
        return IsWord(piece, end) ? ~end : at + First(end - at);
    }

    /// <summary>SuperBPE: the stretches between the places where <c>(?=(\d{3})+(?!\d))</c> matches nothing.</summary>
    public static int BetweenThrees(Piece piece, int at)
    {
        bool isInside = IsDigit(piece, at) && IsDigit(piece, at - 1);
        int cut = isInside ? at : NextCut(piece, at);
        if (cut != at)
            return ~cut;
        return IsDigit(piece, at + 3) ? at + 3 : NextCut(piece, at + 3);
    }

    private static int First(int count) => (count - 1) % 3 + 1;

    /// <summary>The first place from <paramref name="at"/> on, where no run has begun yet, with a multiple of three digits
    /// behind it; the end if there is none.</summary>
    private static int NextCut(Piece piece, int at)
    {
        while (at < piece.Length)
        {
            int end = DigitsEnd(piece, at);
            if (end - at >= 3)
                return at + (end - at) % 3;
            at = end + 1;
        }
        return piece.Length;
    }

    private static int DigitsEnd(Piece piece, int at)
    {
        while (IsDigit(piece, at))
            at++;
        return at;
    }

    /// <summary><c>\d</c></summary>
    private static bool IsDigit(Piece piece, int at) => piece.Is(at, CharacterClass.Number)
        && CharUnicodeInfo.GetUnicodeCategory(piece[at]) == UnicodeCategory.DecimalDigitNumber;

    /// <summary><c>\w</c></summary>
    private static bool IsWord(Piece piece, int at) => piece.Is(at, CharacterClass.Letter | CharacterClass.Mark)
        || at < piece.Length && CharUnicodeInfo.GetUnicodeCategory(piece[at]) is UnicodeCategory.DecimalDigitNumber
            or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}
