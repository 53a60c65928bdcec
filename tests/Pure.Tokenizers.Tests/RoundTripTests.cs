using System.Buffers;
using System.Text;
using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers.Tests;

/// <summary>What goes in comes out again.</summary>
public sealed class RoundTripTests
{
    public static readonly TheoryData<string> Committed = [.. Goldens.CommittedNames];

    public static readonly TheoryData<string> PreTokenizers = [.. PreTokenizer.Names];

    [Theory]
    [MemberData(nameof(Committed))]
    public void Random_text_decodes_back(string name) => AssertLossless(Goldens.CommittedTokenizer(name));

    [Theory]
    [MemberData(nameof(PreTokenizers))]
    public void Random_text_decodes_back_with_every_pre_tokenizer(string name) =>
        AssertLossless(Tokenizer.Create(Vocabularies.For(name)));

    [Theory]
    [MemberData(nameof(Committed))]
    public void A_stream_gives_the_text_that_decoding_at_once_gives(string name)
    {
        var tokenizer = Goldens.CommittedTokenizer(name);
        var random = new Random(11);
        for (int round = 0; round < 500; round++)
        {
            // Ids at random make broken UTF-8; ids of a text make characters that straddle tokens.
            int[] ids = round % 2 == 0
                ? [.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(tokenizer.VocabularySize))]
                : tokenizer.Encode(RandomText.Next(random));
            bool renderSpecial = random.Next(2) == 0;
            var decoder = new StreamingDecoder(tokenizer, renderSpecial);
            var streamed = new StringBuilder();
            foreach (int id in ids)
            {
                string part = decoder.Append(id);
                Assert.False(part.Length > 0 && (char.IsHighSurrogate(part[^1]) || char.IsLowSurrogate(part[0])));
                streamed.Append(part);
            }
            streamed.Append(decoder.Flush());
            Assert.Equal(tokenizer.Decode(ids, renderSpecial), streamed.ToString());
        }
    }

    [Fact]
    public void A_stream_never_shows_half_a_character()
    {
        var tokenizer = Tokenizer.Create(Vocabularies.Bytes);
        var decoder = new StreamingDecoder(tokenizer);
        // 🙂 is F0 9F 99 82, and the id of a byte is its value.
        Assert.Equal("", decoder.Append(0xF0));
        Assert.Equal("", decoder.Append(0x9F));
        Assert.Equal("", decoder.Append(0x99));
        Assert.Equal("🙂", decoder.Append(0x82));
        Assert.Equal("", decoder.Append(0xC3));
        Assert.Equal("\uFFFDa", decoder.Append('a'));
        Assert.Equal("", decoder.Append(0xC3));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("", decoder.Flush());
    }

    [Fact]
    public void The_prefix_blank_is_dropped_at_the_start_of_a_text_only()
    {
        var tokenizer = Tokenizer.Create(Vocabularies.Pieces);
        int[] ids = tokenizer.Encode("a a");
        Assert.Equal("a a", tokenizer.Decode(ids));

        int piece = tokenizer.FindToken("▁a")!.Value;
        Assert.Equal("a", new StreamingDecoder(tokenizer).Append(piece));
        Assert.Equal(" a", new StreamingDecoder(tokenizer, continuesText: true).Append(piece));
    }

    [Fact]
    public void Unpaired_surrogates_become_replacement_characters()
    {
        foreach (var data in (VocabularyData[])[Vocabularies.Bytes, Vocabularies.Pieces])
        {
            var tokenizer = Tokenizer.Create(data);
            Assert.Equal("a\uFFFDb\uFFFD🙂", tokenizer.Decode(tokenizer.Encode("a\uD83Db\uDE42\U0001F642")));
        }
    }

    [Fact]
    public void Many_threads_share_a_tokenizer()
    {
        var tokenizer = Tokenizer.Create(Vocabularies.Bytes);
        string[] texts = [.. Enumerable.Range(0, 200).Select(seed => RandomText.Next(new Random(seed)))];
        int[][] expected = [.. texts.Select(text => Tokenizer.Create(Vocabularies.Bytes).Encode(text))];
        Parallel.For(0, 2000, i => Assert.Equal(expected[i % texts.Length], tokenizer.Encode(texts[i % texts.Length])));
    }

    [Fact]
    public void Decoding_to_bytes_keeps_bytes_that_are_not_utf8()
    {
        var tokenizer = Tokenizer.Create(Vocabularies.Bytes);
        var bytes = new ArrayBufferWriter<byte>();
        tokenizer.Decode([0xFF, 'a', 0xC3], bytes);
        Assert.Equal([0xFF, (byte)'a', 0xC3], bytes.WrittenSpan.ToArray());
    }

    private static void AssertLossless(Tokenizer tokenizer)
    {
        var random = new Random(7);
        for (int round = 0; round < 1000; round++)
        {
            string text = RandomText.Next(random);
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecial: false, parseSpecial: false), renderSpecial: true));
            if (!tokenizer.DropsLeadingSpace)
                Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecial: false), renderSpecial: true));
        }
    }
}
