namespace Pure.Tokenizers.PreTokenizers;

/// <summary>
/// The patterns that several families share, by hand instead of as regular expressions: they work on code points (a .NET
/// regular expression sees halves of surrogate pairs), and no run of characters is looked at more than a fixed number of
/// times, so cutting is linear whatever the text.
/// </summary>
internal static class Patterns
{
    private const CharacterClass Word = CharacterClass.Letter | CharacterClass.Number | CharacterClass.Space;

    /// <summary>A run of characters of a class; with <paramref name="afterSpace"/>, one blank before it belongs to
    /// it.</summary>
    public static Pattern Run(CharacterClass classes, bool afterSpace = false, int longest = int.MaxValue) =>
        Run((_, kind) => (kind & classes) != 0, afterSpace, longest);

    /// <summary>A run of the characters for which <paramref name="isMember"/> holds.</summary>
    public static Pattern Run(Func<int, CharacterClass, bool> isMember, bool afterSpace = false, int longest = int.MaxValue)
    {
        return (piece, at) =>
        {
            int start = afterSpace && piece.Is(at, CharacterClass.Space) ? at + 1 : at;
            int end = MembersEnd(piece, start);
            // A blank may itself be a member.
            if (end == start && start > at)
                end = MembersEnd(piece, start = at);
            return end > start ? end : at;
        };

        int MembersEnd(Piece piece, int start)
        {
            int end = start;
            while (end < piece.Length && end - start < longest && isMember(piece[end], piece.ClassAt(end)))
                end++;
            return end;
        }
    }

    /// <summary>A run of punctuation and of the given characters of the Basic Multilingual Plane.</summary>
    public static Pattern PunctuationAnd(string others) =>
        Run((point, kind) => kind == CharacterClass.Punctuation || point <= char.MaxValue && others.Contains((char)point));

    /// <summary>Exactly so many of <c>[0-9]</c>.</summary>
    public static Pattern AsciiDigits(int count) => (piece, at) =>
    {
        int end = at;
        while (end - at < count && piece[end] is >= '0' and <= '9')
            end++;
        return end - at == count ? end : at;
    };

    /// <summary><c>[\r\n]</c></summary>
    public static int LineBreak(Piece piece, int at) => piece[at] is '\r' or '\n' ? at + 1 : at;

    /// <summary><c>\s+$</c>. A match can only begin where a run of blanks begins, which keeps the search linear.</summary>
    public static int TrailingSpace(Piece piece, int at)
    {
        if (piece.Is(at - 1, CharacterClass.Space))
            return at;
        int end = piece.RunEnd(at, CharacterClass.Space);
        return end == piece.Length ? end : at;
    }

    /// <summary>GPT-2: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c></summary>
    public static int Gpt2Word(Piece piece, int at)
    {
        int end = Contraction(piece, at, ignoreCase: false);
        if (end > at)
            return end;
        int start = piece[at] == ' ' ? at + 1 : at;
        var first = piece.ClassAt(start);
        if (first == CharacterClass.Letter)
            return piece.RunEnd(start, CharacterClass.Letter);
        if (first == CharacterClass.Number)
            return piece.RunEnd(start, CharacterClass.Number);
        if (first is not (CharacterClass.Space or CharacterClass.None))
            return piece.RunEnd(start, ~Word);
        return Blanks(piece, at);
    }

    /// <summary>Llama 3 and those after it: <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}|
    /// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>; <paramref name="letters"/> stands for <c>\p{L}</c>;
    /// <paramref name="signsTakeLineBreaks"/> for the <c>[\r\n]*</c> after signs, <paramref name="hasContractions"/> for the
    /// first alternative, both of which some copies lack.</summary>
    public static Pattern Llama3Word(
        int digits, CharacterClass letters = CharacterClass.Letter, bool signsTakeLineBreaks = true, bool hasContractions = true)
    {
        var others = ~(Word | letters);
        return (piece, at) =>
        {
            int end = hasContractions ? Contraction(piece, at, ignoreCase: true) : at;
            if (end > at)
                return end;

            int word = piece.Is(at, letters) ? at : at + 1;
            bool mayLead = !piece.Is(at, CharacterClass.Number) && piece[at] is not ('\r' or '\n');
            if (mayLead && piece.Is(word, letters))
                return piece.RunEnd(word, letters);

            if (piece.Is(at, CharacterClass.Number))
            {
                for (end = at; end - at < digits && piece.Is(end, CharacterClass.Number);)
                    end++;
                return end;
            }

            int start = piece[at] == ' ' ? at + 1 : at;
            end = piece.RunEnd(start, others);
            if (end == start)
                return BlanksToLineBreak(piece, at);
            return signsTakeLineBreaks ? LineBreaks(piece, end) : end;
        };
    }

    private static readonly Pattern Llama3 = Llama3Word(digits: 3);

    /// <summary>Jais 2: as Llama 3, but blanks are cut into powers of two, <c>\s{512}(?!\S)|\s{256}(?!\S)|…|\s{4}(?!\S)|
    /// \s{1,2}(?!\S)|\s{1}</c>.</summary>
    public static int Jais2Word(Piece piece, int at)
    {
        const int Longest = 512;
        if (!piece.Is(at, CharacterClass.Space))
            return Llama3(piece, at);
        // Where a cut run goes on, it was searched for line breaks before; its last blank may still lead a word.
        bool isSearched = piece.Is(at - 1, CharacterClass.Space) && piece[at - 1] is not ('\r' or '\n');
        int end = isSearched && piece.Is(at + 1, CharacterClass.Space) ? at : Llama3(piece, at);
        if (end > at && (piece.ClassAt(end - 1) != CharacterClass.Space || piece[end - 1] is '\r' or '\n'))
            return end;

        int blanks = at;
        while (blanks - at <= Longest && piece.Is(blanks, CharacterClass.Space))
            blanks++;
        // As many as may match and leave one to a word that follows.
        int most = blanks - at - (blanks < piece.Length ? 1 : 0);
        int count = Longest;
        while (count > most)
            count /= 2;
        return at + Math.Max(count, 1);
    }

    /// <summary>EXAONE MoE: <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}|
    /// ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+</c>: words with single blanks between them are one.</summary>
    public static int ExaoneMoeWord(Piece piece, int at)
    {
        int end = Contraction(piece, at, ignoreCase: true);
        if (end > at)
            return end;

        int letter = piece.Is(at, CharacterClass.Letter) ? at : at + 1;
        bool mayLead = !piece.Is(at, CharacterClass.Number) && piece[at] is not ('\r' or '\n');
        if (mayLead && piece.Is(letter, CharacterClass.Letter))
        {
            while (piece.Is(letter, CharacterClass.Letter))
            {
                end = piece.RunEnd(letter + 1, CharacterClass.Mark);
                letter = piece[end] == ' ' ? end + 1 : end;
            }
            return end;
        }

        if (piece.Is(at, CharacterClass.Number))
            return at + 1;
        int start = piece[at] == ' ' ? at + 1 : at;
        end = piece.RunEnd(start, ~Word);
        if (end == start)
            return BlanksToLineBreak(piece, at);
        return piece[end] is '\r' or '\n' ? end + 1 : end;
    }

    /// <summary><c>[^\n]+|[\n]+</c></summary>
    public static int Line(Piece piece, int at)
    {
        int end = at + 1;
        while (end < piece.Length && (piece[end] == '\n') == (piece[at] == '\n'))
            end++;
        return end;
    }

    /// <summary>Bloom: <c> ?[^(\s|.,!?…。，、।۔،)]+</c></summary>
    public static int BloomWord(Piece piece, int at)
    {
        int start = piece[at] == ' ' ? at + 1 : at;
        int end = start;
        while (end < piece.Length && !piece.Is(end, CharacterClass.Space)
            && !(piece[end] <= char.MaxValue && "(|.,!?…。，、।۔،)".Contains((char)piece[end])))
            end++;
        return end > start ? end : at;
    }

    /// <summary><c>\s*[\r\n]+|\s+(?!\S)|\s+</c></summary>
    public static int BlanksToLineBreak(Piece piece, int at)
    {
        int end = piece.RunEnd(at, CharacterClass.Space);
        for (int last = end; last > at; last--)
        {
            if (piece[last - 1] is '\r' or '\n')
                return last;
        }
        return Blanks(piece, at);
    }

    /// <summary><c>[\r\n]*</c></summary>
    public static int LineBreaks(Piece piece, int at)
    {
        while (piece[at] is '\r' or '\n')
            at++;
        return at;
    }

    /// <summary><c>\s+(?!\S)|\s+</c>: blanks, but the last one is left to the word after it.</summary>
    public static int Blanks(Piece piece, int at)
    {
        int end = piece.RunEnd(at, CharacterClass.Space);
        return end - at > 1 && end < piece.Length ? end - 1 : end;
    }

    /// <summary><c>'s|'t|'re|'ve|'m|'ll|'d</c></summary>
    public static int Contraction(Piece piece, int at, bool ignoreCase)
    {
        if (piece[at] != '\'')
            return at;
        int first = Lower(piece[at + 1]);
        if (first is 's' or 't' or 'm' or 'd')
            return at + 2;
        return (first, Lower(piece[at + 2])) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? at + 3 : at;

        int Lower(int c) => ignoreCase && c is >= 'A' and <= 'Z' ? c + ('a' - 'A') : c;
    }
}
