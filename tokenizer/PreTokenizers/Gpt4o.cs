using System.Globalization;

namespace Pure.Tokenizers.PreTokenizers;

/// <summary>
/// The word pattern of GPT-4o (<c>o200k_base</c>), which begins a new word inside <c>camelCase</c>. With U for letters that
/// begin a word, L for those that carry it on (a letter without case is both), and X for
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)?</c>: <c>[^\r\n\p{L}\p{N}]?U*L+X|[^\r\n\p{L}\p{N}]?U+L*X|\p{N}{1,3}|
/// ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>
/// </summary>
internal static class Gpt4o
{
    private const CharacterClass LetterOrNumber = CharacterClass.Letter | CharacterClass.Number;

    /// <summary><c>[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]</c></summary>
    public static bool IsUpper(int codePoint, CharacterClass kind) => kind == CharacterClass.Mark
        || kind == CharacterClass.Letter && CharUnicodeInfo.GetUnicodeCategory(codePoint) != UnicodeCategory.LowercaseLetter;

    /// <summary><c>[\p{Ll}\p{Lm}\p{Lo}\p{M}]</c></summary>
    public static bool IsLower(int codePoint, CharacterClass kind) => kind == CharacterClass.Mark
        || kind == CharacterClass.Letter
        && CharUnicodeInfo.GetUnicodeCategory(codePoint) is not (UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter);

    /// <summary><c>[\p{Ll}\p{Lo}\p{M}]</c>, in some copies of the pattern.</summary>
    public static bool IsLowerNotModifier(int codePoint, CharacterClass kind) => IsLower(codePoint, kind)
        && (kind == CharacterClass.Mark || CharUnicodeInfo.GetUnicodeCategory(codePoint) != UnicodeCategory.ModifierLetter);

    /// <summary>llama.cpp has no cases but ASCII's, and counts no marks to words.</summary>
    public static bool IsUpperInLlamaCpp(int codePoint, CharacterClass kind) =>
        kind == CharacterClass.Letter && codePoint is not (>= 'a' and <= 'z');

    public static bool IsLowerInLlamaCpp(int codePoint, CharacterClass kind) =>
        kind == CharacterClass.Letter && codePoint is not (>= 'A' and <= 'Z');

    /// <summary>Nor are there cases but ASCII's in what llama.cpp does for Granite's embeddings, but marks.</summary>
    public static bool IsUpperOrMarkInLlamaCpp(int codePoint, CharacterClass kind) =>
        kind == CharacterClass.Mark || IsUpperInLlamaCpp(codePoint, kind);

    public static bool IsLowerOrMarkInLlamaCpp(int codePoint, CharacterClass kind) =>
        kind == CharacterClass.Mark || IsLowerInLlamaCpp(codePoint, kind);

    /// <summary>The whole pattern, for some meaning of U and L. Mistral's <c>tekken</c> has single digits and no X; Kimi has
    /// no <c>/</c> after signs.</summary>
    public static Pattern Word(
        Func<int, CharacterClass, bool> isUpper, Func<int, CharacterClass, bool> isLower, int digits = 3, bool hasContractions = true,
        bool signsTakeSlashes = true) => (piece, at) =>
    {
        bool mayLead = piece[at] is not ('\r' or '\n') && !piece.Is(at, LetterOrNumber);
        int end = mayLead ? CarriedOn(piece, at + 1) : -1;
        end = end < 0 ? CarriedOn(piece, at) : end;
        end = end < 0 && mayLead ? Begun(piece, at + 1) : end;
        end = end < 0 ? Begun(piece, at) : end;
        if (end >= 0)
            return hasContractions ? Patterns.Contraction(piece, end, ignoreCase: true) : end;

        if (piece.Is(at, CharacterClass.Number))
        {
            for (end = at; end - at < digits && piece.Is(end, CharacterClass.Number);)
                end++;
            return end;
        }

        int start = piece[at] == ' ' ? at + 1 : at;
        end = piece.RunEnd(start, ~(LetterOrNumber | CharacterClass.Space));
        if (end == start)
            return Patterns.BlanksToLineBreak(piece, at);
        while (piece[end] is '\r' or '\n' || signsTakeSlashes && piece[end] == '/')
            end++;
        return end;

        // U*L+: where the U have no L behind them, the last of them that is an L too ends the word.
        int CarriedOn(Piece piece, int start)
        {
            int upper = UpperEnd(piece, start);
            int end = upper;
            while (end < piece.Length && isLower(piece[end], piece.ClassAt(end)))
                end++;
            if (end > upper)
                return end;
            while (end > start && !isLower(piece[end - 1], piece.ClassAt(end - 1)))
                end--;
            return end > start ? end : -1;
        }

        // U+L*: no L follows, or the other alternative would have matched.
        int Begun(Piece piece, int start) => UpperEnd(piece, start) is int end && end > start ? end : -1;

        int UpperEnd(Piece piece, int start)
        {
            while (start < piece.Length && isUpper(piece[start], piece.ClassAt(start)))
                start++;
            return start;
        }
    };
}
