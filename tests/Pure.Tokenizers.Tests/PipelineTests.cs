using System.Text;
using System.Text.Json.Nodes;

namespace Pure.Tokenizers.Tests;

/// <summary>The parts of a <c>tokenizer.json</c>, one by one.</summary>
public sealed class PipelineTests
{
    /// <summary>A model that has one token for each of the words given, and none for anything else.</summary>
    private static Tokenizer Words(
        string[] words, string? normalizer = null, string? splitter = null, string? decoder = null, string? added = null)
    {
        var vocabulary = new JsonObject { ["?"] = 0 };
        foreach (string word in words)
            vocabulary[word] = vocabulary.Count;
        var file = TinyTokenizers.File(
            new JsonObject { ["type"] = "WordPiece", ["unk_token"] = "?", ["continuing_subword_prefix"] = "##", ["vocab"] = vocabulary }.ToJsonString(),
            normalizer, splitter, decoder);
        file["added_tokens"] = added is null ? null : JsonNode.Parse(added);
        return TokenizerJson.Create(Encoding.UTF8.GetBytes(file.ToJsonString()));
    }

    private static string Split(string splitter, string text, params string[] words)
    {
        var tokenizer = Words(words, splitter: splitter);
        return string.Join('|', tokenizer.Encode(text).Select(tokenizer.TokenText));
    }

    [Theory]
    [InlineData("Isolated", "a|-|-|b")]
    [InlineData("Removed", "a|b")]
    [InlineData("MergedWithPrevious", "a-|-|b")]
    [InlineData("MergedWithNext", "a|-|-b")]
    [InlineData("Contiguous", "a|--|b")]
    public void A_match_becomes_what_its_behaviour_says(string behaviour, string expected) => Assert.Equal(
        expected,
        Split($$"""{"type":"Split","pattern":{"String":"-"},"behavior":"{{behaviour}}","invert":false}""", "a--b", "a", "b", "-", "--", "a-", "-b"));

    [Theory]
    [InlineData("""{"type":"Split","pattern":{"Regex":"[ab]+"},"behavior":"Removed","invert":true}""", "ab-ba", "ab|ba")]
    [InlineData("""{"type":"Split","pattern":{"Regex":"\\p{Lu}\\p{Ll}++"},"behavior":"Isolated","invert":false}""", "AbcDe", "Abc|De")]
    [InlineData("""{"type":"Split","pattern":{"Regex":"a(?=b)"},"behavior":"Isolated","invert":false}""", "abac", "a|bac")]
    [InlineData("""{"type":"Split","pattern":{"Regex":"(?=(\\d{3})+(?!\\d))"},"behavior":"Isolated","invert":false}""", "a1234567", "a1|234|567")]
    [InlineData("""{"type":"Split","pattern":{"Regex":"\\p{So}"},"behavior":"Isolated","invert":false}""", "a🙂𝟙b", "a|🙂|𝟙b")]
    [InlineData("""{"type":"Whitespace"}""", "ab_1, c!?", "ab_1|,|c|!?")]
    [InlineData("""{"type":"WhitespaceSplit"}""", "ab, \u3000c", "ab,|c")]
    [InlineData("""{"type":"Punctuation","behavior":"Isolated"}""", "a,!b", "a|,|!|b")]
    [InlineData("""{"type":"Digits","individual_digits":true}""", "a12", "a|1|2")]
    [InlineData("""{"type":"Digits","individual_digits":false}""", "a12", "a|12")]
    [InlineData("""{"type":"CharDelimiterSplit","delimiter":"x"}""", "axxb", "a|b")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"always","split":true}""", "a  b", "_a|_|_b")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"never","split":true}""", "a b", "a|_b")]
    [InlineData("""{"type":"Metaspace","replacement":"_","add_prefix_space":true,"split":false}""", "a b", "_a_b")]
    [InlineData("""{"type":"BertPreTokenizer"}""", "a $b.", "a|$|b|.")]
    public void Words_end_where_the_pre_tokenizer_says(string splitter, string text, string expected) =>
        Assert.Equal(expected, Split(splitter, text, [.. expected.Split('|').Distinct()]));

    [Theory]
    [InlineData("""{"type":"Lowercase"}""", "ÀİẞΣ𐐀", "ài\u0307ßσ𐐨")]
    [InlineData("""{"type":"NFKC"}""", "ﬁ①", "fi1")]
    [InlineData("""{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"}]}""", "éà", "ea")]
    [InlineData("""{"type":"Strip","strip_left":true,"strip_right":false}""", "  a ", "a ")]
    [InlineData("""{"type":"Prepend","prepend":"_"}""", "a", "_a")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"b+"},"content":"x"}""", "abbba", "axa")]
    [InlineData("""{"type":"Nmt"}""", "a\u0001\u200Bb", "a b")]
    [InlineData("""{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}""", "\0É字\u200D\t", "e 字  ")]
    [InlineData("""{"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":false,"strip_accents":false,"lowercase":true}""", "É字", "é字")]
    public void Text_is_normalized_as_asked(string normalizer, string text, string expected)
    {
        var tokenizer = Words([expected], normalizer);
        Assert.Equal([1], tokenizer.Encode(text));
    }

    [Fact]
    public void Compiled_rules_replace_what_their_trie_holds()
    {
        // A trie with one key, "A" (0x41), and the replacement "xy": the root leads to unit 0x41 ^ 1, whose leaf is at 0.
        uint[] units = new uint[0x43];
        units[0] = 1 << 10;
        units[0x40] = 0x41 | 1 << 8 | 2 << 10;
        units[0x40 ^ 2] = 0x80000000;
        byte[] map = [.. BitConverter.GetBytes(4 * units.Length), .. units.SelectMany(BitConverter.GetBytes), .. "xy\0"u8];
        var tokenizer = Words(["axyb"], $$"""{"type":"Precompiled","precompiled_charsmap":"{{Convert.ToBase64String(map)}}"}""");
        Assert.Equal([1], tokenizer.Encode("aAb"));
    }

    [Fact]
    public void Added_tokens_take_what_they_may()
    {
        var tokenizer = Words(["a", "b", " "], splitter: """{"type":"Split","pattern":{"String":" "},"behavior":"Isolated"}""", added: """
            [{"id":10,"content":"<l>","lstrip":true,"normalized":false,"special":true},
             {"id":11,"content":"<r>","rstrip":true,"normalized":false,"special":false},
             {"id":12,"content":"ab","single_word":true,"normalized":false,"special":false},
             {"id":13,"content":"<r>>","normalized":false,"special":false}]
            """);
        Assert.Equal([1, 10, 3, 2], tokenizer.Encode("a  <l> b"));
        Assert.Equal([1, 3, 11, 2], tokenizer.Encode("a <r>  b"));
        Assert.Equal([12, 3, 0], tokenizer.Encode("ab abb"));
        Assert.Equal([13, 11], tokenizer.Encode("<r>><r>"));
        // What is special is text to those who do not parse it.
        Assert.Equal([1, 3, 0], tokenizer.Encode("a <l>", parseSpecial: false));
        Assert.Equal([11], tokenizer.Encode("<r>", parseSpecial: false));
        Assert.Equal(TokenKind.Control, tokenizer.Kind(10));
        Assert.Equal(TokenKind.UserDefined, tokenizer.Kind(11));
        Assert.Equal(TokenKind.Unused, tokenizer.Kind(9));
    }

    [Fact]
    public void Words_that_end_with_a_mark_get_blanks_between_them()
    {
        var tokenizer = TokenizerJson.Create(TinyTokenizers.Read("word ends"));
        int[] ids = tokenizer.Encode("AB  ba");
        Assert.Equal(["ab</w>", "b", "a</w>"], ids.Select(tokenizer.TokenText));
        Assert.Equal("ab ba", tokenizer.Decode(ids));
        var decoder = new StreamingDecoder(tokenizer);
        Assert.Equal(["ab", " b", "a"], ids.Select(decoder.Append));
    }

    [Fact]
    public void Word_pieces_are_framed_and_joined()
    {
        var tokenizer = TokenizerJson.Create(TinyTokenizers.Read("word pieces"));
        Assert.Equal((8, 9, true, true), (tokenizer.Bos, tokenizer.Eos, tokenizer.AddsBos, tokenizer.AddsEos));
        int[] ids = tokenizer.Encode("Thére A!");
        Assert.Equal([8, 3, 4, 1, 5, 9], ids);
        Assert.Equal("there a!", tokenizer.Decode(ids.AsSpan(1, 4)));
        Assert.Equal([8, 0, 9], tokenizer.Encode(new string('a', 101)));
    }

    [Fact]
    public void The_best_cut_is_found_by_trying_all()
    {
        var random = new Random(5);
        for (int round = 0; round < 500; round++)
        {
            (string Text, double Score)[] pieces =
                [("?", 0), .. Enumerable.Range(0, random.Next(1, 9)).Select(_ => (Letters(random, 1, 3), -random.Next(1, 60) / 4d)).DistinctBy(piece => piece.Item1)];
            var model = new JsonObject
            {
                ["type"] = "Unigram",
                ["unk_id"] = 0,
                ["vocab"] = new JsonArray([.. pieces.Select(piece => new JsonArray(piece.Text, piece.Score))]),
            };
            var tokenizer = TokenizerJson.Create(Encoding.UTF8.GetBytes(TinyTokenizers.File(model.ToJsonString()).ToJsonString()));
            string text = Letters(random, 1, 9);
            double unknown = pieces.Min(piece => piece.Score) - 10;
            double found = 0;
            int at = 0;
            foreach (int id in tokenizer.Encode(text))
            {
                // A run of unknown letters is one token; what it covers follows from what comes next, so score letter by letter.
                int length = id == 0 ? 1 : pieces[id].Text.Length;
                found += id == 0 ? unknown : pieces[id].Score;
                at += length;
            }
            if (at == text.Length)
                Assert.Equal(Best(text), found, 9);

            double Best(string rest) => rest.Length == 0 ? 0 : pieces.Skip(1)
                .Where(piece => rest.StartsWith(piece.Text, StringComparison.Ordinal))
                .Select(piece => piece.Score + Best(rest[piece.Text.Length..]))
                .Append(unknown + Best(rest[1..])).Max();
        }
    }

    public static readonly TheoryData<string> Kinds = [.. TinyTokenizers.Names];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_stream_gives_the_text_that_decoding_at_once_gives(string kind)
    {
        var tokenizer = TokenizerJson.Create(TinyTokenizers.Read(kind));
        var random = new Random(13);
        for (int round = 0; round < 300; round++)
        {
            int[] ids = round % 2 == 0
                ? [.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(tokenizer.VocabularySize))]
                : tokenizer.Encode(RandomText.Next(random));
            var decoder = new StreamingDecoder(tokenizer);
            string streamed = string.Concat(ids.Select(decoder.Append)) + decoder.Flush();
            Assert.Equal(tokenizer.Decode(ids), streamed);
        }
    }

    [Theory]
    [InlineData("byte-level")]
    [InlineData("other expression")]
    [InlineData("sentence pieces")]
    public void Random_text_decodes_back(string kind)
    {
        var tokenizer = TokenizerJson.Create(TinyTokenizers.Read(kind));
        var random = new Random(17);
        for (int round = 0; round < 1000; round++)
        {
            // Blanks that an added token takes are gone.
            string text = RandomText.Next(random).Replace("<think>", "", StringComparison.Ordinal);
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecial: false, parseSpecial: false), renderSpecial: true));
        }
    }

    private static string Letters(Random random, int least, int most) =>
        new([.. Enumerable.Range(0, random.Next(least, most + 1)).Select(_ => "abc"[random.Next(3)])]);
}
