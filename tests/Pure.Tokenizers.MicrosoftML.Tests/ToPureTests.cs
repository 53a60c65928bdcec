using System.Text;
using Microsoft.ML.Tokenizers;
using MLTokenizer = Microsoft.ML.Tokenizers.Tokenizer;

namespace Pure.Tokenizers.MicrosoftML.Tests;

/// <summary>Tokenizers of Microsoft.ML.Tokenizers as Pure's.</summary>
public sealed class ToPureTests
{
    public static TheoryData<string> Kinds => [.. Libraries.Names];

    [Theory, MemberData(nameof(Kinds))]
    public void Ids_are_what_the_library_says(string kind)
    {
        MLTokenizer library = Libraries.Create(kind);
        Tokenizer tokenizer = library.ToPure();
        var random = new Random(1);
        for (int round = 0; round < 2000; round++)
        {
            string text = RandomText.Next(random);
            IReadOnlyList<int> expected = library is SentencePieceTokenizer sentencePiece
                ? sentencePiece.EncodeToIds(text, addBeginningOfSentence: false, addEndOfSentence: false)
                : library.EncodeToIds(text);
            Assert.Equal(expected, tokenizer.Encode(text, addSpecial: false));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_stream_of_tokens_is_what_the_library_decodes_of_all_of_them(string kind)
    {
        MLTokenizer library = Libraries.Create(kind);
        Tokenizer tokenizer = library.ToPure();
        int[] ordinary = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(id => tokenizer.Kind(id) is TokenKind.Normal or TokenKind.Byte)];
        int[] parts = [.. ordinary.Where(id => library.Decode([id]).Contains('\uFFFD'))];
        var random = new Random(2);
        for (int round = 0; round < 2000; round++)
        {
            int[] ids = round % 2 == 0
                ? [.. tokenizer.Encode(RandomText.Next(random), addSpecial: false, parseSpecial: false).Where(ordinary.Contains)]
                : [.. Enumerable.Range(0, random.Next(40)).Select(_ =>
                    parts.Length > 0 && random.Next(3) > 0 ? parts[random.Next(parts.Length)] : ordinary[random.Next(ordinary.Length)])];
            string expected = library.Decode(ids);
            var stream = new StreamingDecoder(tokenizer);
            string[] pieces = [.. ids.Select(stream.Append), stream.Flush()];

            Assert.Equal(expected, string.Concat(pieces));
            Assert.Equal(expected, tokenizer.Decode(ids));
            Assert.All(pieces, piece => Assert.True(IsWellFormed(piece)));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_stream_after_text_goes_on_as_the_whole_does(string kind)
    {
        MLTokenizer library = Libraries.Create(kind);
        Tokenizer tokenizer = library.ToPure();
        int[] before = tokenizer.Encode("ab", addSpecial: false);
        var random = new Random(3);
        for (int round = 0; round < 500; round++)
        {
            int[] ids = [.. tokenizer.Encode(RandomText.Next(random), addSpecial: false, parseSpecial: false)
                .Where(id => tokenizer.Kind(id) is TokenKind.Normal or TokenKind.Byte)];
            var stream = new StreamingDecoder(tokenizer, continuesText: true);
            string text = string.Concat(ids.Select(stream.Append)) + stream.Flush();

            Assert.Equal(library.Decode([.. before, .. ids]), library.Decode(before) + text);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Text_of_unknown_origin_never_becomes_a_control_token(string kind)
    {
        Tokenizer tokenizer = Libraries.Create(kind).ToPure();
        var random = new Random(4);
        for (int round = 0; round < 2000; round++)
        {
            string text = RandomText.Next(random) + "<|eos|><|eos|>[CLS]";
            Assert.DoesNotContain(tokenizer.Encode(text, addSpecial: false, parseSpecial: false), id => tokenizer.Kind(id) == TokenKind.Control);
        }
    }

    [Theory, InlineData("tiktoken"), InlineData("byte-level BPE"), InlineData("sentencepiece"), InlineData("the caller's own")]
    public void Every_text_comes_back(string kind)
    {
        Tokenizer tokenizer = Libraries.Create(kind).ToPure();
        var random = new Random(5);
        for (int round = 0; round < 2000; round++)
        {
            string text = RandomText.Next(random);
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecial: false, parseSpecial: false)));
        }
    }

    [Theory, InlineData("tiktoken"), InlineData("byte-level BPE"), InlineData("the caller's own")]
    public void It_is_the_same_as_Pures_own(string kind)
    {
        Tokenizer tokenizer = Libraries.Create(kind).ToPure();
        Tokenizer own = Libraries.Gpt2;
        var random = new Random(6);
        for (int round = 0; round < 2000; round++)
        {
            string text = RandomText.Next(random);
            Assert.Equal(own.Encode(text, addSpecial: false), tokenizer.Encode(text, addSpecial: false));
        }
    }

    [Fact]
    public void SentencePiece_is_the_same_as_Pures_own()
    {
        Tokenizer tokenizer = Libraries.Create("sentencepiece").ToPure();
        Tokenizer own = Libraries.Pieces;

        Assert.Equal(own.VocabularySize, tokenizer.VocabularySize);
        Assert.All(Enumerable.Range(0, own.VocabularySize), id => Assert.Equal(own.TokenBytes(id), tokenizer.TokenBytes(id)));
        foreach (string text in (string[])["Once upon a time", " the cats", "字", "a  b", "é\n"])
        {
            Assert.Equal(own.Encode(text), tokenizer.Encode(text));
            Assert.Equal(tokenizer.Bos, tokenizer.Encode(text)[0]);
        }
    }

    [Fact]
    public void Byte_level_tokens_have_their_bytes()
    {
        Tokenizer tokenizer = Libraries.ByteLevel.ToPure();

        Assert.All(Enumerable.Range(0, 256), value => Assert.Equal(Libraries.Gpt2.TokenBytes(value), tokenizer.TokenBytes(value)));
    }

    [Fact]
    public void Tiktokens_tokens_are_found()
    {
        Tokenizer tokenizer = Libraries.Tiktoken.ToPure();

        Assert.Equal(Libraries.Gpt2.VocabularySize, tokenizer.VocabularySize);
        Assert.All(Enumerable.Range(0, tokenizer.VocabularySize), id => Assert.Equal(Libraries.Gpt2.Kind(id), tokenizer.Kind(id)));
        Assert.Equal(Libraries.Gpt2.FindToken("<|eos|>"), tokenizer.FindToken("<|eos|>"));
    }

    [Fact]
    public void Tokens_with_well_known_names_end_a_generation()
    {
        Tokenizer tokenizer = TiktokenTokenizer.Create(
            new MemoryStream("YQ== 0\nYg== 1"u8.ToArray()), null, null, new Dictionary<string, int> { ["<|endoftext|>"] = 5, ["<|im_end|>"] = 7 }).ToPure();

        Assert.Equal(8, tokenizer.VocabularySize);
        Assert.Equal((5, 7), (tokenizer.Eos, tokenizer.Eot));
        Assert.Equal([5, 7], Enumerable.Range(0, 8).Where(tokenizer.IsEndOfGeneration));
        Assert.Equal(TokenKind.Unused, tokenizer.Kind(6));
    }

    [Fact]
    public void Roles_that_the_caller_gives_hold()
    {
        var roles = new TokenRoles { Size = 1000, Bos = 1, Eos = 2, AddBos = true, AddEos = true, Control = new Dictionary<string, int> { ["<turn>"] = 999 } };
        Tokenizer tokenizer = Libraries.Tiktoken.ToPure(roles);

        Assert.Equal(1000, tokenizer.VocabularySize);
        Assert.Equal([1, .. Libraries.Tiktoken.EncodeToIds("a"), 999, .. Libraries.Tiktoken.EncodeToIds("b"), 2], tokenizer.Encode("a<turn>b"));
        Assert.Equal("ab", tokenizer.Decode(tokenizer.Encode("a<turn>b")));
        Assert.Equal("a<turn>b", tokenizer.Decode(tokenizer.Encode("a<turn>b", addSpecial: false), renderSpecial: true));
        Assert.Equal("", tokenizer.Decode([998]));
    }

    [Fact]
    public void A_role_outside_the_vocabulary_is_refused()
    {
        var exception = Assert.Throws<TokenizerException>(() => Libraries.Tiktoken.ToPure(new TokenRoles { Eos = 5000 }));

        Assert.Equal("TokenRoles.Eos is 5000, but the vocabulary has 890 tokens, ids 0 to 889.", exception.Message);
    }

    [Fact]
    public void Decoding_takes_time_in_proportion_to_the_tokens()
    {
        Tokenizer tokenizer = Libraries.Tiktoken.ToPure();
        int[] ids = tokenizer.Encode(new string('\uFFFD', 100_000), addSpecial: false);

        Assert.Equal(new string('\uFFFD', 100_000), tokenizer.Decode(ids));
    }

    private static bool IsWellFormed(string text) => new UTF8Encoding(false, false) is var utf8 && utf8.GetString(utf8.GetBytes(text)) == text;
}
