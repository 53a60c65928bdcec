using System.Buffers;
using Microsoft.ML.Tokenizers;
using MLTokenizer = Microsoft.ML.Tokenizers.Tokenizer;

namespace Pure.Tokenizers.MicrosoftML.Tests;

/// <summary>Pure's tokenizers as tokenizers of Microsoft.ML.Tokenizers.</summary>
public sealed class ToMicrosoftMLTests
{
    public static TheoryData<string> Kinds => ["bytes", "pieces"];

    [Theory, MemberData(nameof(Kinds))]
    public void Ids_and_counts_are_Pures(string kind)
    {
        (Tokenizer own, MLTokenizer tokenizer) = Create(kind);
        foreach (string text in Texts(1))
        {
            int[] expected = own.Encode(text, addSpecial: false, parseSpecial: kind == "bytes");
            Assert.Equal(expected, tokenizer.EncodeToIds(text));
            Assert.Equal(expected, tokenizer.EncodeToIds(text.AsSpan()));
            Assert.Equal(expected.Length, tokenizer.CountTokens(text));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Offsets_cut_the_text_into_its_tokens(string kind)
    {
        (Tokenizer own, MLTokenizer tokenizer) = Create(kind);
        foreach (string text in Texts(2))
        {
            IReadOnlyList<EncodedToken> tokens = tokenizer.EncodeToTokens(text, out string? normalized);

            Assert.Null(normalized);
            Assert.Equal(text, string.Concat(tokens.Select(token => text[token.Offset])));
            Assert.Equal(own.Encode(text, addSpecial: false, parseSpecial: kind == "bytes").Select(own.TokenText), tokens.Select(token => token.Value));
        }
    }

    [Fact]
    public void A_character_of_several_tokens_belongs_to_the_last()
    {
        MLTokenizer tokenizer = Libraries.Gpt2.ToMicrosoftML();

        EncodedToken[] tokens = [.. tokenizer.EncodeToTokens("𝟙", out _)];

        Assert.True(tokens.Length > 1);
        Assert.All(tokens[..^1], token => Assert.Equal(0..0, token.Offset));
        Assert.Equal(0..2, tokens[^1].Offset);
    }

    [Fact]
    public void Text_that_the_tokenizer_changes_is_given_as_it_is_then()
    {
        MLTokenizer tokenizer = Libraries.Gpt2.ToMicrosoftML();

        IReadOnlyList<EncodedToken> tokens = tokenizer.EncodeToTokens("a\uD800b", out string? normalized);

        Assert.Equal("a\uFFFDb", normalized);
        Assert.Equal(normalized, string.Concat(tokens.Select(token => normalized![token.Offset])));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void No_more_tokens_than_allowed_and_no_character_in_two(string kind)
    {
        (Tokenizer own, MLTokenizer tokenizer) = Create(kind);
        foreach (string text in Texts(3))
        {
            int[] all = own.Encode(text, addSpecial: false, parseSpecial: kind == "bytes");
            for (int most = 1; most <= all.Length + 1; most++)
            {
                IReadOnlyList<int> ids = tokenizer.EncodeToIds(text, most, out _, out int consumed);
                Assert.True(ids.Count <= most);
                Assert.Equal(all.Take(ids.Count), ids);
                Assert.Equal(text[..consumed], own.Decode([.. ids], renderSpecial: true));

                int end = tokenizer.GetIndexByTokenCount(text, most, out _, out int count);
                Assert.Equal((consumed, ids.Count), (end, count));

                int start = tokenizer.GetIndexByTokenCountFromEnd(text, most, out _, out count);
                Assert.True(count <= most);
                Assert.Equal(text[start..], new string(Rest(own, all[^count..], continuesText: count < all.Length)));
            }
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Decoding_into_a_buffer_says_how_far_it_came(string kind)
    {
        (Tokenizer own, MLTokenizer tokenizer) = Create(kind);
        foreach (string text in Texts(4).Where(text => text.Length < 40))
        {
            int[] ids = own.Encode(text, addSpecial: false, parseSpecial: kind == "bytes");
            Assert.Equal(text, tokenizer.Decode(ids));
            for (int size = 0; size <= text.Length; size++)
            {
                char[] buffer = new char[size];
                OperationStatus status = tokenizer.Decode(ids, buffer, out int consumed, out int written);

                Assert.Equal(size == text.Length ? OperationStatus.Done : OperationStatus.DestinationTooSmall, status);
                Assert.Equal(text[..written], new string(buffer, 0, written));
                Assert.Equal(text[..written], own.Decode(ids.AsSpan(0, consumed), renderSpecial: true));
            }
        }
    }

    [Fact]
    public void Part_of_a_character_needs_more_data()
    {
        MLTokenizer tokenizer = Libraries.Gpt2.ToMicrosoftML();
        int[] ids = [.. tokenizer.EncodeToIds("a𝟙")];

        Assert.Equal(OperationStatus.NeedMoreData, tokenizer.Decode(ids[..^1], new char[9], out int consumed, out int written));
        Assert.Equal((1, 1), (consumed, written));
    }

    [Fact]
    public void A_token_that_is_none_is_refused()
    {
        MLTokenizer tokenizer = Libraries.Gpt2.ToMicrosoftML();

        Assert.Equal(OperationStatus.InvalidData, tokenizer.Decode([-1], new char[9], out _, out _));
        Assert.Throws<InvalidOperationException>(() => tokenizer.Decode([890]));
    }

    [Fact]
    public void Without_special_tokens_their_names_are_text()
    {
        MLTokenizer with = Libraries.Gpt2.ToMicrosoftML(), without = Libraries.Gpt2.ToMicrosoftML(withSpecial: false);

        Assert.Single(with.EncodeToIds("<|eos|>"));
        Assert.True(without.CountTokens("<|eos|>") > 1);
        Assert.Equal("<|eos|>", without.Decode(without.EncodeToIds("<|eos|>")));
        Assert.Equal("<|eos|>", with.Decode(with.EncodeToIds("<|eos|>")));
        Assert.Equal("", without.Decode(with.EncodeToIds("<|eos|>")));
    }

    private static (Tokenizer Own, MLTokenizer Library) Create(string kind)
    {
        Tokenizer own = kind == "bytes" ? Libraries.Gpt2 : Libraries.Pieces;
        return (own, own.ToMicrosoftML(withSpecial: kind == "bytes"));
    }

    private static IEnumerable<string> Texts(int seed)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, 300).Select(_ => RandomText.Next(random));
    }

    private static string Rest(Tokenizer tokenizer, int[] ids, bool continuesText)
    {
        var stream = new StreamingDecoder(tokenizer, renderSpecial: true, continuesText);
        return string.Concat(ids.Select(stream.Append)) + stream.Flush();
    }
}
