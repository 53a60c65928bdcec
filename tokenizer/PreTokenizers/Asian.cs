namespace Pure.Tokenizers.PreTokenizers;

/// <summary>Patterns that set scripts of Asia apart from words in letters.</summary>
internal static class Asian
{
    /// <summary>Unicode's script Han: first and last code points, ascending.</summary>
    private static readonly (int First, int Last)[] Han =
    [
        (0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029),
        (0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D), (0xFA70, 0xFAD9), (0x16FE2, 0x16FE3),
        (0x16FF0, 0x16FF1), (0x20000, 0x2A6DF), (0x2A700, 0x2B739), (0x2B740, 0x2B81D), (0x2B820, 0x2CEA1),
        (0x2CEB0, 0x2EBE0), (0x2EBF0, 0x2EE5D), (0x2F800, 0x2FA1D), (0x30000, 0x3134A), (0x31350, 0x323AF),
    ];

    private static readonly Pattern HanRun = Patterns.Run(static (codePoint, _) => IsHan(codePoint));
    private static readonly Pattern OtherWord = Gpt4o.Word(
        static (codePoint, kind) => Gpt4o.IsUpper(codePoint, kind) && !IsHan(codePoint),
        static (codePoint, kind) => Gpt4o.IsLower(codePoint, kind) && !IsHan(codePoint),
        signsTakeSlashes: false);

    private static readonly Pattern[] YoutuRuns =
    [
        Patterns.Run(static (codePoint, _) => codePoint is (>= 0xAC00 and <= 0xD7A3) or (>= 0x3131 and <= 0x318E)),
        Patterns.Run(static (codePoint, _) => codePoint is 0xFF01 or 0x2026 or 0x201C or 0x201D or 0x2018 or 0x2019 or 0x2014
            or 0xFF1A or 0xFF1B or 0xFF0C or (>= 0x3001 and <= 0x303F) or (>= 0xFE30 and <= 0xFE4F)),
        Patterns.Run(static (codePoint, _) => codePoint is >= 0x3105 and <= 0x312F),
        Patterns.Run(DeepSeek.IsHanOrKana),
    ];

    /// <summary>Kimi K2: <c>\p{Han}+</c>, or the word of GPT-4o with no Han among its letters, <c>…[\p{Lu}…\p{M}&amp;&amp;[^\p{Han}]]…</c>,
    /// and with <c>[\r\n]*</c> after signs.</summary>
    public static int KimiWord(Piece piece, int at) => HanRun(piece, at) is int end && end > at ? end : OtherWord(piece, at);

    /// <summary>Youtu: <c>[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+</c></summary>
    public static int YoutuRun(Piece piece, int at)
    {
        int end = at;
        for (int i = 0; i < YoutuRuns.Length && end == at; i++)
            end = YoutuRuns[i](piece, at);
        return end;
    }

    /// <summary>Trinity (AFMoE): <c>[一-鿿㐀-䶿豈-\uFAFF぀-ゟ゠-ヿ･-ﾟ⼀-\u2FDF\u0E40-\u0E7F\u0E80-\u0EFFက-႟ᄀ-ᇿ…]</c>. The 豈 there is U+8C48, not
    /// U+F900, so the range that it begins holds the other blocks that the pattern lists after it.</summary>
    public static bool IsOfAfmoe(int codePoint, CharacterClass kind) => codePoint is
        (>= 0x0E40 and <= 0x0EFF) or (>= 0x1000 and <= 0x109F) or (>= 0x1100 and <= 0x11FF) or (>= 0x1780 and <= 0x17FF)
        or (>= 0x2F00 and <= 0x2FDF) or (>= 0x3040 and <= 0x30FF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0xFAFF)
        or (>= 0xFF65 and <= 0xFF9F);

    private static bool IsHan(int codePoint)
    {
        if (codePoint < Han[0].First)
            return false;
        foreach (var (first, last) in Han)
        {
            if (codePoint <= last)
                return codePoint >= first;
        }
        return false;
    }
}
