using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Pure.Tokenizers.Tests;

/// <summary>Files of SentencePiece, against SentencePiece's own ids and against its definitions.</summary>
public sealed class SentencePieceModelTests
{
    private const int Unigram = 1;
    private const int BytePair = 2;

    [Theory]
    [InlineData("spm_model")]
    [InlineData("spm_bytefallback")]
    [InlineData("spm_bpe_model")]
    public void Tiny_files_give_the_ids_and_texts_of_sentencepiece(string group)
    {
        string[] folder = ["data", "hf-tokenizers", "neural-api-tiny"];
        using var document = JsonDocument.Parse(File.ReadAllBytes(Goldens.Shared([.. folder, "hf_tokenizer_cases.json"])));
        var cases = document.RootElement.GetProperty(group);
        var tokenizer = SentencePieceModel.Open(Goldens.Shared([.. folder, cases.GetProperty("tokenizer").GetString()!]));
        Assert.True(cases.GetProperty("cases").GetArrayLength() > 5);
        foreach (var item in cases.GetProperty("cases").EnumerateArray())
        {
            int[] expected = Goldens.Ids(item.GetProperty("ids"));
            Assert.Equal(expected, tokenizer.Encode(item.GetProperty("text").GetString(), addSpecial: false));
            Assert.Equal(item.GetProperty("decoded").GetString(), tokenizer.Decode(expected));
        }
    }

    [Theory]
    [InlineData(Unigram, false, "the x xa", "▁the|▁|<unk>|▁|<unk>|a")]
    [InlineData(Unigram, true, "the xß", "▁the|▁|<0x78>|<0xC3>|<0x9F>")]
    [InlineData(BytePair, false, "the xya", "▁the|▁|<unk>|a")]
    [InlineData(BytePair, true, "hé", "▁|h|é")]
    [InlineData(BytePair, true, "  the   a ", "▁the|▁a")]
    [InlineData(Unigram, false, "   ", "")]
    public void Texts_become_the_pieces_expected(int model, bool hasBytes, string text, string expected) =>
        Assert.Equal(expected, Pieces(SentencePieceModel.Create(SentencePieceBuilder.Tiny(model, hasBytes)), text));

    [Theory]
    [InlineData(3, "the  a", "the|▁|▁a")]
    [InlineData(4, "▁the", "▁|▁the")]
    public void Blanks_are_treated_as_the_file_says(int field, string text, string expected)
    {
        // 3 is add_dummy_prefix, 4 is remove_extra_whitespaces; blanks stay as they are where one of the two is off.
        byte[] file = SentencePieceBuilder.Tiny(BytePair, false, builder => builder.Message(3, rules =>
        {
            rules.Number(field, 0);
            if (field == 3)
                rules.Number(4, 0);
        }));
        Assert.Equal(expected, Pieces(SentencePieceModel.Create(file), text));
    }

    [Fact]
    public void Unknown_characters_are_read_back_as_the_file_says()
    {
        var tokenizer = SentencePieceModel.Create(SentencePieceBuilder.Tiny(
            Unigram, false, builder => builder.Message(2, trainer => trainer.Text(44, "?"))));
        Assert.Equal("the ? a", tokenizer.Decode(tokenizer.Encode("the xyz a")));
        Assert.Equal(TokenKind.Unknown, tokenizer.Kind(0));
    }

    [Fact]
    public void The_longest_compiled_rule_counts()
    {
        // Keys "A" and "AB", replaced by "t" and "he": a trie that leads from the root to A at 1 ^ 0x41, and from there to
        // its leaf at 0x80 and to B at 0x80 ^ 0x42.
        uint[] units = new uint[0xD0];
        units[0] = 1 << 10;
        units[0x40] = 0x41 | 1 << 8 | (0x40 ^ 0x80) << 10;
        units[0x80] = 0x80000000;
        units[0x80 ^ 0x42] = 0x42 | 1 << 8 | (0x80 ^ 0x42 ^ 0xC8) << 10;
        units[0xC8] = 0x80000000 | 2;
        byte[] rules = [.. BitConverter.GetBytes(units.Length * 4), .. units.SelectMany(BitConverter.GetBytes), .. "t\0he\0"u8];
        var tokenizer = SentencePieceModel.Create(SentencePieceBuilder.Tiny(
            BytePair, false, builder => builder.Message(3, normalizer => normalizer.Bytes(2, rules))));
        Assert.Equal("▁the", Pieces(tokenizer, "AAB"));
        Assert.Equal("▁|t|t", Pieces(tokenizer, "AA"));
    }

    [Fact]
    public void Control_pieces_are_parsed_and_pieces_of_the_user_always_found()
    {
        byte[] file = SentencePieceBuilder.Tiny(BytePair, true, builder => builder.Piece("he▁a", 0, 4));
        var tokenizer = SentencePieceModel.Create(file, new TokenizerConfig { Added = [new(270, "<pad>", false), new(271, "<x>", true), new(271, "<x>", true)] });
        Assert.Equal("▁|t|he▁a|a", Pieces(tokenizer, "the aa"));
        Assert.Equal("▁the|</s>|▁a", Pieces(tokenizer, "the</s>a"));
        Assert.Equal("▁a|<pad>|▁a|<x>", Pieces(tokenizer, "a<pad>a<x>"));
        Assert.DoesNotContain(271, tokenizer.Encode("<x>", parseSpecial: false));
        Assert.Equal("the aa", tokenizer.Decode(tokenizer.Encode("the aa")));
    }

    [Fact]
    public void The_configuration_says_what_goes_around_a_text()
    {
        byte[] file = SentencePieceBuilder.Tiny(BytePair, false);
        Assert.Equal([1, 3], SentencePieceModel.Create(file).Encode("the"));
        Assert.Equal([3, 2], SentencePieceModel.Create(file, new TokenizerConfig { AddBos = false, AddEos = true }).Encode("the"));
        Assert.True(SentencePieceModel.Create(file).IsEndOfGeneration(2));
    }

    [Fact]
    public void A_folder_opens_with_its_configuration_and_added_tokens()
    {
        string folder = Directory.CreateTempSubdirectory("pure-pieces-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "tokenizer.model"), SentencePieceBuilder.Tiny(BytePair, false));
            File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """
                {"add_bos_token": false, "added_tokens_decoder": {"0": {"content": "<unk>", "special": true}, "14": {"content": "<turn>", "special": true}}}
                """);
            File.WriteAllText(Path.Combine(folder, "added_tokens.json"), """{"<pad>": 13, "<turn>": 14}""");
            var tokenizer = SentencePieceModel.Open(folder);
            Assert.Equal([3, 14, 13], tokenizer.Encode("the<turn><pad>"));
            Assert.Equal("the<pad>", tokenizer.Decode([3, 14, 13]));
            Assert.Equal(TokenKind.Unknown, tokenizer.Kind(0));

            File.WriteAllText(Path.Combine(folder, "added_tokens.json"), """{"<pad>": 3}""");
            Assert.Contains("\"▁the\" stands", Assert.Throws<TokenizerException>(() => SentencePieceModel.Open(folder)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static readonly TheoryData<byte[], string> Malformed = new()
    {
        { [], "holds no pieces" },
        { "not a model"u8.ToArray(), "byte 0 begins no field" },
        { [0x0A, 0x7F], "has 127 bytes, but only 0 are left" },
        { [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "has no end" },
        { [0x0B], "byte 0 begins no field" },
        { [0x08, 0x01], "wire type 0, where 2 is expected" },
        { new SentencePieceBuilder().Piece("", 0).Build(), "piece 0" },
        { new SentencePieceBuilder().Piece("a", float.NaN).Build(), "NaN" },
        { new SentencePieceBuilder().Piece("a", 0, 7).Build(), "of type 7" },
        { new SentencePieceBuilder().Message(1, piece => piece.Bytes(1, [0xFF])).Build(), "is not UTF-8" },
        { new SentencePieceBuilder().Piece("a", 0).Piece("a", 0).Build(), "\"a\" twice" },
        { SentencePieceBuilder.Tiny(3, false), "type 3, which is not supported" },
        { SentencePieceBuilder.Tiny(Unigram, false, builder => builder.Message(2, trainer => trainer.Number(35, 1))), "no piece <0x00>" },
        { SentencePieceBuilder.Tiny(Unigram, false, builder => builder.Message(2, trainer => trainer.Number(24, 1))), "treat_whitespace_as_suffix" },
        { SentencePieceBuilder.Tiny(Unigram, false, builder => builder.Message(3, rules => rules.Bytes(2, [9, 0, 0, 0, 1]))), "precompiled_charsmap is damaged" },
    };

    [Theory]
    [MemberData(nameof(Malformed), DisableDiscoveryEnumeration = true)]
    public void A_file_that_cannot_be_used_gets_one_sentence(byte[] file, string fact)
    {
        string message = Assert.Throws<TokenizerException>(() => SentencePieceModel.Create(file, name: "x.model")).Message;
        Assert.Contains(fact, message, StringComparison.Ordinal);
        Assert.EndsWith(".", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_files_are_refused_or_work()
    {
        int rounds = int.TryParse(Environment.GetEnvironmentVariable("PURE_MUTATIONS"), out int asked) ? asked : 3000;
        byte[][] sources =
        [
            SentencePieceBuilder.Tiny(Unigram, false), SentencePieceBuilder.Tiny(Unigram, true), SentencePieceBuilder.Tiny(BytePair, true),
            SentencePieceBuilder.Tiny(BytePair, false, builder => builder.Piece("▁▁", 0, 4).Message(3, normalizer => normalizer.Bytes(
                2, [.. BitConverter.GetBytes(4 * 256), .. new byte[4 * 256], .. "abc\0"u8]).Number(4, 0))),
        ];
        int refused = 0;
        var slowest = TimeSpan.Zero;
        for (int seed = 0; seed < rounds; seed++)
        {
            long begin = Stopwatch.GetTimestamp();
            var random = new Random(seed);
            List<byte> bytes = [.. sources[random.Next(sources.Length)]];
            for (int count = random.Next(1, 4); count > 0 && bytes.Count > 0; count--)
            {
                int at = random.Next(3) == 0 ? bytes.Count - 1 - random.Next(Math.Min(40, bytes.Count)) : random.Next(bytes.Count);
                int length = Math.Min(random.Next(1, 30), bytes.Count - at);
                switch (random.Next(4))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                    case 2: bytes.RemoveRange(at, length); break;
                    default: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                }
            }
            try
            {
                var tokenizer = SentencePieceModel.Create(bytes.ToArray());
                int[] ids = tokenizer.Encode(RandomText.Next(random, 40));
                Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
                Assert.NotNull(tokenizer.Decode(ids));
            }
            catch (TokenizerException refusal)
            {
                refused++;
                Assert.True(refusal.Message.EndsWith('.') && refusal.Message.Length < 1000, $"seed {seed}: {refusal.Message}");
            }
            catch (Exception crash)
            {
                Assert.Fail($"seed {seed}: {crash}");
            }
            var time = Stopwatch.GetElapsedTime(begin);
            slowest = time > slowest ? time : slowest;
        }
        using var process = Process.GetCurrentProcess();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{rounds} files, {refused} refused; the slowest took {slowest}; {process.PeakWorkingSet64 >> 20} MiB at most");
        Assert.InRange(refused, rounds / 20, rounds - rounds / 20);
    }

    [Theory]
    [InlineData(Unigram)]
    [InlineData(BytePair)]
    public void Texts_come_back(int model)
    {
        // Without rules nothing of a text is lost.
        var tokenizer = SentencePieceModel.Create(SentencePieceBuilder.Tiny(model, true, builder => builder.Message(3, rules => rules.Number(4, 0))));
        for (int seed = 0; seed < 1000; seed++)
        {
            string text = RandomText.Next(new Random(seed)).Replace("<s>", "", StringComparison.Ordinal);
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

    private static string Pieces(Tokenizer tokenizer, string text) =>
        string.Join('|', tokenizer.Encode(text, addSpecial: false).Select(tokenizer.TokenText));
}
