using System.Text;
using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers.Pipeline;

/// <summary>Reads the normalizer and the pre-tokenizer of a <c>tokenizer.json</c>.</summary>
internal static class StepReader
{
    /// <summary>The longest expression read; published ones have a few hundred characters.</summary>
    private const int LongestExpression = 10_000;

    public static Normalizer ReadNormalizer(JsonNode node) => node.Type() switch
    {
        "Sequence" => new NormalizerSequence([.. node.Get("normalizers").Items().Select(ReadNormalizer)]),
        "NFC" => new FormNormalizer(NormalizationForm.FormC),
        "NFD" => new FormNormalizer(NormalizationForm.FormD),
        "NFKC" => new FormNormalizer(NormalizationForm.FormKC),
        "NFKD" => new FormNormalizer(NormalizationForm.FormKD),
        "Nmt" => new MappingNormalizer(MappingNormalizer.Nmt),
        "Lowercase" => new LowercaseNormalizer(),
        "StripAccents" => new MappingNormalizer(
            static codePoint => CharacterClasses.Of(codePoint) == CharacterClass.Mark ? -1 : codePoint),
        "Prepend" => new PrependNormalizer(node.Get("prepend").Text()),
        "Replace" => new ReplaceNormalizer(ReadPattern(node.Get("pattern")), node.Get("content").Text()),
        "Strip" => new StripNormalizer(node.Boolean("strip_left", true), node.Boolean("strip_right", true)),
        "ByteLevel" => new ByteLevelNormalizer(),
        "BertNormalizer" => new BertNormalizer(
            node.Boolean("clean_text", true),
            node.Boolean("handle_chinese_chars", true),
            node.Boolean("strip_accents", node.Boolean("lowercase", true)),
            node.Boolean("lowercase", true)),
        "Precompiled" => CharsmapNormalizer.Read(node),
        var type => throw node.Unsupported(
            type,
            "Sequence, NFC, NFD, NFKC, NFKD, Nmt, Lowercase, StripAccents, Prepend, Replace, Strip, ByteLevel, BertNormalizer and Precompiled"),
    };

    public static Splitter ReadSplitter(JsonNode node) => node.Type() switch
    {
        "Sequence" => new SplitterSequence([.. node.Get("pretokenizers").Items().Select(ReadSplitter)]),
        "ByteLevel" => new ByteLevelSplitter(node.Boolean("add_prefix_space", true), node.Boolean("use_regex", true)),
        "Split" => new CuttingSplitter(
            ReadPattern(node.Get("pattern")), ReadBehaviour(node.Get("behavior")), node.Boolean("invert", false)),
        "Metaspace" => new MetaspaceSplitter(Mark(node), ReadPrepend(node), node.Boolean("split", true)),
        "Digits" => node.Boolean("individual_digits", false)
            ? new CuttingSplitter(new CharacterMatcher(IsNumber), Behaviour.Isolated)
            : new CuttingSplitter(new CharacterMatcher(IsNumber), Behaviour.Contiguous),
        "Punctuation" => new CuttingSplitter(
            new CharacterMatcher(BertSplitter.IsPunctuation),
            node.Find("behavior") is { } behaviour ? ReadBehaviour(behaviour) : Behaviour.Isolated),
        "WhitespaceSplit" => new CuttingSplitter(new CharacterMatcher(IsSpace), Behaviour.Removed),
        "Whitespace" => new SplitterSequence(
        [
            new CuttingSplitter(new CharacterMatcher(IsSpace), Behaviour.Removed),
            new CuttingSplitter(new CharacterMatcher(IsWord), Behaviour.Contiguous),
        ]),
        "BertPreTokenizer" => BertSplitter.Instance,
        "CharDelimiterSplit" => new CuttingSplitter(new TextMatcher(node.Get("delimiter").Text()), Behaviour.Removed),
        var type => throw node.Unsupported(
            type,
            "Sequence, ByteLevel, Split, Metaspace, Digits, Punctuation, WhitespaceSplit, Whitespace, BertPreTokenizer and CharDelimiterSplit"),
    };

    /// <summary>A pattern: a text or a regular expression.</summary>
    public static Matcher ReadPattern(JsonNode node)
    {
        if (node.IsString)
            return new TextMatcher(node.Text());
        if (node.Text("String") is { } text)
            return new TextMatcher(text);
        string expression = node.Get("Regex").Text();
        if (KnownPatterns.Find(expression) is { } known)
            return new PatternMatcher(known);
        if (expression.Length > LongestExpression)
            throw node.Error($"is an expression of {expression.Length} characters, where at most {LongestExpression} are expected");
        try
        {
            return new ExpressionMatcher(expression);
        }
        catch (ArgumentException exception)
        {
            throw node.Error(
                $"is the expression {Vocabulary.Quote(expression)}, which is not understood ({exception.GetType().Name}); write it as .NET does");
        }
    }

    /// <summary>The character that stands for a blank.</summary>
    public static char Mark(JsonNode node) => node.Find("replacement")?.Character() ?? '▁';

    public static Prepend ReadPrepend(JsonNode node) => node.Text("prepend_scheme") switch
    {
        // Before there was prepend_scheme, there was add_prefix_space.
        null => node.Boolean("add_prefix_space", true) ? Prepend.Always : Prepend.Never,
        "always" => Prepend.Always,
        "first" => Prepend.First,
        "never" => Prepend.Never,
        _ => throw node.Get("prepend_scheme").Unexpected("always, first or never"),
    };

    private static Behaviour ReadBehaviour(JsonNode node) => node.Text() switch
    {
        "Isolated" => Behaviour.Isolated,
        "Removed" => Behaviour.Removed,
        "MergedWithPrevious" => Behaviour.MergedWithPrevious,
        "MergedWithNext" => Behaviour.MergedWithNext,
        "Contiguous" => Behaviour.Contiguous,
        _ => throw node.Unexpected("Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous"),
    };

    private static bool IsNumber(int codePoint, CharacterClass kind) => kind == CharacterClass.Number;

    private static bool IsSpace(int codePoint, CharacterClass kind) => kind == CharacterClass.Space;

    /// <summary><c>\w</c></summary>
    private static bool IsWord(int codePoint, CharacterClass kind) => codePoint is 0x200C or 0x200D
        || kind is CharacterClass.Letter or CharacterClass.Mark
        || System.Globalization.CharUnicodeInfo.GetUnicodeCategory(codePoint) is System.Globalization.UnicodeCategory.DecimalDigitNumber
            or System.Globalization.UnicodeCategory.LetterNumber or System.Globalization.UnicodeCategory.ConnectorPunctuation;
}
