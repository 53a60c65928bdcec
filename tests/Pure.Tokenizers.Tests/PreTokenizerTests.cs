using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers.Tests;

/// <summary>The pre-tokenizers of GGUF files against the expressions published for them, run one after the other by .NET.</summary>
public sealed class PreTokenizerTests
{
    private const string Contraction = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Blanks = @"\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Llama3 = Contraction + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + Blanks;
    private const string Qwen2 = Contraction + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + Blanks;
    private const string Gpt4oWord =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + Contraction + "?|"
        + @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + Contraction + "?";
    private const string KimiWord =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}-[" + Han + @"]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}-[" + Han + "]]+" + Contraction + "?|"
        + @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}-[" + Han + @"]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}-[" + Han + "]]*" + Contraction + "?";
    private const string GraniteWord =
        @"[^\r\n\p{L}\p{N}]?((?=[\p{L}\p{M}])([^a-z]))*((?=[\p{L}\p{M}])([^A-Z]))+" + Contraction + "?|"
        + @"[^\r\n\p{L}\p{N}]?((?=[\p{L}\p{M}])([^a-z]))+((?=[\p{L}\p{M}])([^A-Z]))*" + Contraction + "?";
    private const string V3 =
        @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+";

    /// <summary>The script Han in the Basic Multilingual Plane.</summary>
    private const string Han =
        @"\u2E80-\u2E99\u2E9B-\u2EF3\u2F00-\u2FD5\u3005\u3007\u3021-\u3029\u3038-\u303B\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFA6D\uFA70-\uFAD9";

    private static readonly Dictionary<string, string[]> Published = new()
    {
        ["jais-2"] =
        [
            Contraction + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|"
            + @"\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}",
        ],
        ["minicpm5"] = [@"\p{N}{1,3}", Contraction + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|" + Blanks],
        ["laguna"] = [@"[^\n]+|[\n]+", Qwen2],
        ["ufakzeka"] = [@"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + Blanks],
        ["exaone-moe"] =
        [
            Contraction + @"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+",
        ],
        ["granite-embed-multi-97m"] = [GraniteWord + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + Blanks],
        // \b after a digit, as Oniguruma has it: .NET counts U+200D to words, and no letter-like numbers.
        ["tiny_aya"] =
        [
            @"\d{1,3}(?=(?:\d{3})*(?![\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}]))", Gpt4oWord + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + Blanks,
        ],
        ["youtu"] =
        [
            "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+", Gpt4oWord + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + Blanks,
        ],
        ["kimi-k2"] = [$"[{Han}]+|{KimiWord}" + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + Blanks],
        ["deepseek-v3"] = [@"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", V3 + @"[\r\n]*|" + Blanks],
        ["spark2_5"] = [@"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", V3 + @"|[\r\n]|\s+(?!\S)|\s+", @"\p{N}"],
        ["afmoe"] =
        [
            @"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))",
            @"[一-鿿㐀-䶿豈-\uFAFF぀-ゟ゠-ヿ･-ﾟ⼀-\u2FDF\u0E40-\u0E7F\u0E80-\u0EFF\u1780-\u17FF\u1000-\u109F\uAA60-\uAA7F\uA9E0-\uA9FF가-\uD7AF\u1100-\u11FF]+",
            V3 + @"[\r\n]*|" + Blanks,
        ],
        ["superbpe"] = [@"\p{N}+", @"(?=(\d{3})+(?!\d))"],
        ["chameleon"] =
        [
            "<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", @"([\t\n]|    |  )", @"\p{N}", @"[\p{P}!-/:-@\[-`{-~]", Gpt2,
        ],
        ["gemma4"] = [@"[^\n]+|[\n]+"],
        ["llama-bpe"] = [Llama3],
        ["qwen2"] = [Qwen2],
        ["starcoder"] = [@"\p{N}", Gpt2],
        ["gpt-2"] = [Gpt2],
    };

    /// <summary>What these pre-tokenizers in particular trip over.</summary>
    private static readonly string[] Favourites =
    [
        "<sentinel:7>", "<sentinel:>", "<sentinel:12", "IMGIMGABZ", "IMGIMGABCDEZ", "IMGIMGZ", "    ", "   ", "\n\n", " \n", "\r", "/", "!/\n/",
        "1234567", "12½345", "12_", "１２３４", "a1234", "'tis", "'RE", "A b c", "É", "ǅ", "ʰ", "々字", "𠀀", "豈", "ㄅ", "…、", "ᄀ", "\u0E41", "camelCase", "HTTPServer",
    ];

    public static readonly TheoryData<string> Names = [.. Published.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_pre_tokenizer_cuts_where_its_expressions_cut(string name)
    {
        var preTokenizer = PreTokenizer.Named(name);
        Regex[] expressions = [.. Published[name].Select(expression => new Regex(expression, RegexOptions.CultureInvariant))];
        var ends = new List<int>();
        for (int seed = 0; seed < 3000; seed++)
        {
            string text = Text(new Random(seed));
            preTokenizer.Split(text, ends);
            List<string> expected = Cut(text, expressions, name == "kimi-k2" ? '\u4E01' : '\u05D0');
            List<string> found = [.. ends.Select((end, i) => text[(i == 0 ? 0 : ends[i - 1])..end])];
            if (!expected.SequenceEqual(found))
                Assert.Fail($"seed {seed}: {string.Join('|', expected)} expected, {string.Join('|', found)} found");
        }
    }

    [Fact]
    public void A_cascade_of_blanks_takes_powers_of_two()
    {
        var expressions = Published["jais-2"].Select(expression => new Regex(expression, RegexOptions.CultureInvariant)).ToArray();
        var ends = new List<int>();
        foreach (int count in (int[])[1, 2, 3, 4, 5, 9, 31, 64, 65, 255, 511, 512, 513, 1023, 1026, 2000])
        {
            foreach (string text in (string[])[new(' ', count), new string(' ', count) + "x", "\n" + new string('\t', count) + "é\n  "])
            {
                PreTokenizer.Named("jais-2").Split(text, ends);
                Assert.Equal(Cut(text, expressions, '\u05D0'), ends.Select((end, i) => text[(i == 0 ? 0 : ends[i - 1])..end]));
            }
        }
    }

    [Theory]
    [InlineData("superbpe", "1234567 and 12,123", "1|234|567| and |12|,|123")]
    [InlineData("tiny_aya", "1234567 1234x", "1|234|567| |123|4|x")]
    [InlineData("exaone-moe", "one two  three", "one two| | three")]
    [InlineData("kimi-k2", "日本語 HelloWorld's", "日本語| Hello|World's")]
    [InlineData("afmoe", "a 1234", "a| |1|234")]
    public void Examples_read_as_expected(string name, string text, string expected)
    {
        var ends = new List<int>();
        PreTokenizer.Named(name).Split(text, ends);
        Assert.Equal(expected, string.Join('|', ends.Select((end, i) => text[(i == 0 ? 0 : ends[i - 1])..end])));
    }

    [Fact]
    public void Characters_join_and_others_are_spelt_in_bytes()
    {
        var tokenizer = Tokenizer.Create(Vocabularies.Characters);
        Assert.Equal(
            ["<bos>", "the", "▁the", "▁a", "é", "\n\n", "<0xC3>", "<0x9F>", "▁▁", "t"],
            tokenizer.Encode("the the aé\n\nß  t").Select(tokenizer.TokenText));
        // Three line breaks are no token, and no merge joins two; Sarvam never looks for the whole run.
        Assert.Equal(["\n", "\n", "\n"], tokenizer.Encode("\n\n\n", addSpecial: false).Select(tokenizer.TokenText));
        var sarvam = Tokenizer.Create(Vocabularies.Characters with { PreTokenizer = "sarvam-moe" });
        Assert.Equal(["\n", "\n"], sarvam.Encode("\n\n", addSpecial: false).Select(sarvam.TokenText));
        Assert.Equal([1], Tokenizer.Create(Vocabularies.Characters with { Model = "gemma4", PreTokenizer = null, AddBos = false }).Encode(""));
        Assert.Empty(sarvam.Encode(""));
    }

    private static string Text(Random random)
    {
        var text = new StringBuilder();
        for (int parts = random.Next(1, 8); parts > 0; parts--)
            text.Append(random.Next(2) == 0 ? RandomText.Next(random, 6) : Favourites[random.Next(Favourites.Length)]);
        return text.Append(random.Next(3) == 0 ? "" : "x").ToString();
    }

    /// <summary>The pieces that the expressions leave, each isolating its matches in the pieces of the one before.</summary>
    private static List<string> Cut(string text, Regex[] expressions, char letter)
    {
        List<int> starts = [];
        var shown = new StringBuilder();
        for (int at = 0; at < text.Length; at += Rune.GetRuneAt(text, at).Utf16SequenceLength)
        {
            starts.Add(at);
            var rune = Rune.GetRuneAt(text, at);
            shown.Append(rune.IsBmp ? (char)rune.Value : StandIn(rune, letter));
        }
        starts.Add(text.Length);
        string one = shown.ToString();

        List<(int Start, int End)> pieces = one.Length > 0 ? [(0, one.Length)] : [];
        foreach (var expression in expressions)
        {
            List<(int Start, int End)> finer = [];
            foreach (var (start, end) in pieces)
            {
                SortedSet<int> cuts = [start, end];
                foreach (Match match in expression.Matches(one[start..end]))
                    cuts.UnionWith([start + match.Index, start + match.Index + match.Length]);
                finer.AddRange(cuts.Zip(cuts.Skip(1)));
            }
            pieces = finer;
        }
        return [.. pieces.Select(piece => text[starts[piece.Start]..starts[piece.End]])];
    }

    /// <summary>A character of the same category, for .NET, which sees the halves of those outside the Basic Multilingual
    /// Plane; <paramref name="letter"/> for letters of scripts without case.</summary>
    private static char StandIn(Rune rune, char letter) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter => '\u0116',
        UnicodeCategory.LowercaseLetter => '\u0117',
        UnicodeCategory.ModifierLetter => '\u02B0',
        UnicodeCategory.OtherLetter => rune.Value is >= 0x20000 and <= 0x323AF ? letter : '\u05D0',
        UnicodeCategory.DecimalDigitNumber => '\u0662',
        UnicodeCategory.LetterNumber => '\u2160',
        UnicodeCategory.OtherNumber => '\u00BE',
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => '\u0483',
        UnicodeCategory.MathSymbol or UnicodeCategory.OtherSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol => '\u2200',
        UnicodeCategory.DashPunctuation or UnicodeCategory.OtherPunctuation or UnicodeCategory.OpenPunctuation
            or UnicodeCategory.ClosePunctuation or UnicodeCategory.ConnectorPunctuation => '\u2E2E',
        _ => '\u0378',
    };
}
