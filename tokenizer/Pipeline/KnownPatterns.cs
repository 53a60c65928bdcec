using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers.Pipeline;

/// <summary>The regular expressions that published <c>tokenizer.json</c> files split with, each with the pattern that does the
/// same by hand: in linear time, and on code points where .NET's expressions see UTF-16 units.</summary>
internal static class KnownPatterns
{
    private const CharacterClass Letter = CharacterClass.Letter;
    private const CharacterClass Number = CharacterClass.Number;

    private static readonly Dictionary<string, Pattern> Known = new(StringComparer.Ordinal)
    {
        // GPT-2, and the same as tiktoken writes it.
        [@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = Patterns.Gpt2Word,
        [@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = Patterns.Gpt2Word,
        // GPT-4 (cl100k_base) and Llama 3.
        [@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            Patterns.Llama3Word(digits: 3),
        [@"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            Patterns.Llama3Word(digits: 3),
        [@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"] =
            Patterns.Llama3Word(digits: 3),
        [@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            Patterns.Llama3Word(digits: 3),
        // Qwen 2 and 3, and Qwen 3.5.
        [@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            Patterns.Llama3Word(digits: 1),
        [@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            Patterns.Llama3Word(digits: 1, Letter | CharacterClass.Mark),
        // GPT-4o (o200k_base), as published, as gpt-oss has it, and a copy without \p{Lm} among the small letters.
        [@"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            Gpt4o.Word(Gpt4o.IsUpper, Gpt4o.IsLower),
        [@"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            Gpt4o.Word(Gpt4o.IsUpper, Gpt4o.IsLowerNotModifier),
        // Mistral's tekken.
        [@"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            Gpt4o.Word(Gpt4o.IsUpper, Gpt4o.IsLower, digits: 1, hasContractions: false),
        // Bailing, Seed Coder, Bloom.
        [@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"] =
            Patterns.Llama3Word(digits: 1),
        [@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            Patterns.Llama3Word(digits: 1, signsTakeLineBreaks: false),
        [@" ?[^(\s|[.,!?…。，、।۔،])]+"] = Patterns.BloomWord,
        // Tiny Aya, EXAONE MoE.
        [@"\d{1,3}(?=(?:\d{3})*\b)"] = NumberGroups.ThreesBeforeWordEnd,
        [@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"] =
            Patterns.ExaoneMoeWord,
        // DeepSeek V3: three in a row.
        [@"\p{N}{1,3}"] = Patterns.Run(Number, longest: 3),
        ["[一-龥぀-ゟ゠-ヿ]+"] = Patterns.Run(DeepSeek.IsHanOrKana),
        [@"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            DeepSeek.V3Word(),
        // DeepSeek LLM and Coder: several in a row.
        [@"[\r\n]"] = Patterns.LineBreak,
        [@"\s?" + DeepSeek.LetterPattern] = Patterns.Run(DeepSeek.IsLetter, afterSpace: true),
        [@"\s?\p{L}+"] = Patterns.Run(Letter, afterSpace: true),
        [@"\s?\p{P}+"] = Patterns.Run(CharacterClass.Punctuation, afterSpace: true),
        [@"\s?[!-/:-~！-／：-～‘-‟　-。]+"] = Patterns.Run(DeepSeek.IsPunctuation, afterSpace: true),
        [@"\s+$"] = Patterns.TrailingSpace,
        ["[一-龥ࠀ-一가-퟿]+"] = Patterns.Run(DeepSeek.IsIdeograph),
        [@"\p{N}"] = Patterns.Run(Number, longest: 1),
        [@"\p{N}+"] = Patterns.Run(Number),
        [@"\d"] = Patterns.Run(IsDecimal, longest: 1),
        // Falcon.
        ["[0-9][0-9][0-9]"] = Patterns.AsciiDigits(3),
        [@"\s+"] = Patterns.Run(CharacterClass.Space),
        [" +"] = Patterns.Run(static (codePoint, _) => codePoint == ' '),
    };

    /// <summary>The expressions, as <see cref="Find"/> knows them.</summary>
    public static IReadOnlyCollection<string> Expressions => Known.Keys;

    /// <summary>The pattern of an expression as it stands in a file, if it is known.</summary>
    public static Pattern? Find(string expression) => Known.GetValueOrDefault(
        expression.Replace("\r", @"\r", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal));

    private static bool IsDecimal(int codePoint, CharacterClass kind) =>
        System.Globalization.CharUnicodeInfo.GetUnicodeCategory(codePoint) == System.Globalization.UnicodeCategory.DecimalDigitNumber;
}
