namespace Pure.Tokenizers.PreTokenizers;

/// <summary>The character sets and the word pattern that only DeepSeek's vocabularies use, as their <c>tokenizer.json</c>
/// spell them.</summary>
internal static class DeepSeek
{
    /// <summary>The cased letters, at the Unicode version that DeepSeek LLM froze: first and last code points, ascending.</summary>
    private static readonly (int First, int Last)[] Letters =
    [
        (0x41, 0x5A), (0x61, 0x7A), (0xB5, 0xB5), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x1BA), (0x1BC, 0x1BF),
        (0x1C4, 0x293), (0x295, 0x2AF), (0x370, 0x373), (0x376, 0x377), (0x37B, 0x37D), (0x37F, 0x37F),
        (0x386, 0x386), (0x388, 0x38A), (0x38C, 0x38C), (0x38E, 0x3A1), (0x3A3, 0x3F5), (0x3F7, 0x481),
        (0x48A, 0x52F), (0x531, 0x556), (0x10A0, 0x10C5), (0x13A0, 0x13F5), (0x13F8, 0x13FD), (0x1C90, 0x1CBA),
        (0x1CBD, 0x1CBF), (0x1D00, 0x1D2B), (0x1D6B, 0x1D77), (0x1D79, 0x1D9A), (0x1E00, 0x1F15), (0x1F18, 0x1F1D),
        (0x1F20, 0x1F45), (0x1F48, 0x1F4D), (0x1F50, 0x1F57), (0x1F59, 0x1F59), (0x1F5B, 0x1F5B), (0x1F5D, 0x1F5D),
        (0x1F5F, 0x1F7D), (0x1F80, 0x1FB4), (0x1FB6, 0x1FBC), (0x1FBE, 0x1FBE), (0x1FC2, 0x1FC4), (0x1FC6, 0x1FCC),
        (0x1FD0, 0x1FD3), (0x1FD6, 0x1FDB), (0x1FE0, 0x1FEC), (0x1FF2, 0x1FF4), (0x1FF6, 0x1FFC), (0x2102, 0x2102),
        (0x2107, 0x2107), (0x210A, 0x2113), (0x2115, 0x2115), (0x2119, 0x211D), (0x2124, 0x2124), (0x2126, 0x2126),
        (0x2128, 0x2128), (0x212A, 0x212D), (0x212F, 0x2134), (0x2139, 0x2139), (0x213C, 0x213F), (0x2145, 0x2149),
        (0x214E, 0x214E), (0x2183, 0x2184), (0x2C00, 0x2C7B), (0x2C7E, 0x2CE4), (0x2CEB, 0x2CEE), (0x2CF2, 0x2CF3),
        (0xA640, 0xA66D), (0xA680, 0xA69B), (0xA722, 0xA76F), (0xA771, 0xA787), (0xA78B, 0xA78E), (0xAB70, 0xABBF),
        (0xFB00, 0xFB06), (0xFB13, 0xFB17), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A), (0x10400, 0x1044F),
        (0x104B0, 0x104D3), (0x104D8, 0x104FB), (0x10C80, 0x10CB2), (0x10CC0, 0x10CF2), (0x118A0, 0x118DF),
        (0x1E900, 0x1E943),
    ];

    /// <summary>The letters as a <c>tokenizer.json</c> writes them: <c>[A-Za-zµÀ-Ö…]+</c>, two neighbours without a dash.</summary>
    public static string LetterPattern => "[" + string.Concat(Letters.Select(static range => (range.Last - range.First) switch
    {
        0 => char.ConvertFromUtf32(range.First),
        1 => char.ConvertFromUtf32(range.First) + char.ConvertFromUtf32(range.Last),
        _ => $"{char.ConvertFromUtf32(range.First)}-{char.ConvertFromUtf32(range.Last)}",
    })) + "]+";

    /// <summary>A letter of DeepSeek LLM: those of scripts with two cases.</summary>
    public static bool IsLetter(int codePoint, CharacterClass kind)
    {
        if (codePoint < 0x80)
            return char.IsAsciiLetter((char)codePoint);
        int low = 0;
        int high = Letters.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (codePoint < Letters[middle].First)
                high = middle - 1;
            else if (codePoint > Letters[middle].Last)
                low = middle + 1;
            else
                return true;
        }
        return false;
    }

    /// <summary>Punctuation of DeepSeek LLM: <c>[!-/:-~！-／：-～‘-‟　-。]</c>. The wide blank U+3000 is one
    /// of them, as in Hugging Face's library; llama.cpp takes it for a blank only.</summary>
    public static bool IsPunctuation(int codePoint, CharacterClass kind) => codePoint is
        (>= '!' and <= '/') or (>= ':' and <= '~') or (>= 0xFF01 and <= 0xFF0F) or (>= 0xFF1A and <= 0xFF5E)
        or (>= 0x2018 and <= 0x201F) or (>= 0x3000 and <= 0x3002);

    /// <summary><c>[一-龥ࠀ-一가-퟿]</c>: Han, Hangul and all scripts from U+0800 up.</summary>
    public static bool IsIdeograph(int codePoint, CharacterClass kind) => codePoint is
        (>= 0x800 and <= 0x9FA5) or (>= 0xAC00 and <= 0xD7FF);

    /// <summary><c>[一-龥぀-ゟ゠-ヿ]</c>, of DeepSeek V3.</summary>
    public static bool IsHanOrKana(int codePoint, CharacterClass kind) => codePoint is
        (>= 0x4E00 and <= 0x9FA5) or (>= 0x3040 and <= 0x30FF);

    /// <summary>DeepSeek V3: <c>[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|
    /// \s*[\r\n]+|\s+(?!\S)|\s+</c>; without <paramref name="joinsLineBreaks"/>, as Spark has it:
    /// <c>…| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+</c></summary>
    public static Pattern V3Word(bool joinsLineBreaks = true)
    {
        const CharacterClass LetterOrMark = CharacterClass.Letter | CharacterClass.Mark;
        const CharacterClass Sign = CharacterClass.Punctuation | CharacterClass.Symbol;

        return (piece, at) =>
        {
            if (IsAscii(piece, at, Sign) && IsAscii(piece, at + 1, CharacterClass.Letter))
            {
                int end = at + 1;
                while (IsAscii(piece, end, CharacterClass.Letter))
                    end++;
                return end;
            }

            int word = piece.Is(at, LetterOrMark) ? at : at + 1;
            bool mayLead = !piece.Is(at, Sign) && piece[at] is not ('\r' or '\n');
            if (mayLead && piece.Is(word, LetterOrMark))
                return piece.RunEnd(word, LetterOrMark);

            int start = piece[at] == ' ' ? at + 1 : at;
            int signs = piece.RunEnd(start, Sign);
            if (signs > start)
                return joinsLineBreaks ? Patterns.LineBreaks(piece, signs) : signs;
            if (joinsLineBreaks)
                return Patterns.BlanksToLineBreak(piece, at);
            return piece[at] is '\r' or '\n' ? at + 1 : Patterns.Blanks(piece, at);
        };

        static bool IsAscii(Piece piece, int index, CharacterClass classes) => piece[index] < 0x80 && piece.Is(index, classes);
    }
}
