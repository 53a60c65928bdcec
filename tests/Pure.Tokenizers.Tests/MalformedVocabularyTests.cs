namespace Pure.Tokenizers.Tests;

/// <summary>A vocabulary that cannot be used gets one clear sentence.</summary>
public sealed class MalformedVocabularyTests
{
    private static readonly VocabularyData Bytes = Vocabularies.Bytes;

    [Fact]
    public void An_unknown_model_is_named_with_what_is_supported() =>
        AssertSays(Bytes with { Model = "rwkv" }, "\"rwkv\"", "gpt2, gemma4, llama and bert");

    [Fact]
    public void An_unknown_pre_tokenizer_is_named_with_what_is_supported() =>
        AssertSays(Bytes with { PreTokenizer = "newer\n" }, "\"newer\\u000A\"", "deepseek-llm", "llama-bpe", "qwen2", "default");

    [Fact]
    public void An_empty_vocabulary_is_refused()
    {
        AssertSays(Bytes with { Tokens = [], Kinds = null }, "empty");
        AssertSays(Vocabularies.Pieces with { Tokens = [], Kinds = null, Scores = null }, "empty");
    }

    [Fact]
    public void Lists_of_other_lengths_are_refused()
    {
        AssertSays(Bytes with { Kinds = [1, 2] }, "tokenizer.ggml.token_type has 2 entries", "has 266");
        AssertSays(Vocabularies.Pieces with { Scores = [1f] }, "tokenizer.ggml.scores has 1 entries", "has 268");
    }

    [Fact]
    public void A_token_that_stands_twice_is_refused() =>
        AssertSays(Bytes with { Tokens = [.. Bytes.Tokens.Take(265), "the"] }, "\"the\" twice", "260 and 265");

    [Fact]
    public void Ids_outside_the_vocabulary_are_refused()
    {
        AssertSays(Bytes with { Bos = 1_000_000_000 }, "bos_token_id is 1000000000", "266 tokens");
        AssertSays(Bytes with { Eos = -1 }, "eos_token_id is -1");
        AssertSays(Bytes with { Eot = 266 }, "eot_token_id is 266");
        AssertSays(Bytes with { Unknown = 266 }, "unknown_token_id is 266");
        AssertSays(Bytes with { Padding = 266 }, "padding_token_id is 266");
    }

    [Fact]
    public void A_token_to_add_must_be_named() => AssertSays(Bytes with { Bos = null }, "add_bos_token is true", "bos_token_id");

    [Theory]
    [InlineData("ab")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a ")]
    [InlineData(" a")]
    public void A_merge_without_two_parts_is_refused(string merge) =>
        AssertSays(Bytes with { Merges = ["a a", merge] }, "Merge 1 ", Vocabulary.Quote(merge));

    [Fact]
    public void Merges_must_be_there() => AssertSays(Bytes with { Merges = null }, "tokenizer.ggml.merges");

    [Fact]
    public void A_printable_character_without_a_token_is_refused() =>
        AssertSays(Bytes with { Tokens = [.. Bytes.Tokens.Select(text => text == "A" ? "AAA" : text)] }, "'A'");

    [Fact]
    public void A_byte_token_must_spell_a_byte() =>
        AssertSays(Bytes with { Kinds = [6, .. Bytes.Kinds!.Skip(1)] }, "Token 0", "<0x41>");

    [Fact]
    public void Merges_of_texts_that_are_no_tokens_are_tolerated()
    {
        var tokenizer = Tokenizer.Create(Bytes with { Merges = ["x y", "xy z", "a a", "q uu"] });
        Assert.Equal(['x', 'y', 'z', 'x', 256], tokenizer.Encode("xyzxaa", addSpecial: false));
    }

    [Fact]
    public void A_control_character_without_a_token_is_left_out()
    {
        var tokenizer = Tokenizer.Create(Bytes with { Tokens = [.. Bytes.Tokens.Select((text, id) => id == 0x0B ? "[none]" : text)] });
        Assert.Equal(['a', 'b'], tokenizer.Encode("a\vb", addSpecial: false));
    }

    [Fact]
    public void Characters_without_byte_tokens_become_unknown()
    {
        var tokenizer = Tokenizer.Create(new VocabularyData { Model = "llama", Tokens = ["<unk>", "<s>", "</s>", "▁", "a"] });
        Assert.Equal([1, 3, 4, 0, 4], tokenizer.Encode("aba"));
    }

    [Fact]
    public void Empty_texts_and_unheard_of_kinds_are_tolerated()
    {
        var tokenizer = Tokenizer.Create(Bytes with { Tokens = [.. Bytes.Tokens, "", ""], Kinds = [.. Bytes.Kinds!, 1, 77] });
        Assert.Equal("[EMPTY_267]", tokenizer.TokenText(267));
        Assert.Equal(TokenKind.Undefined, tokenizer.Kind(267));
        Assert.Equal('x', Assert.Single(tokenizer.Encode("x", addSpecial: false)));
    }

    private static void AssertSays(VocabularyData data, params string[] parts)
    {
        string message = Assert.Throws<TokenizerException>(() => Tokenizer.Create(data)).Message;
        Assert.EndsWith(".", message);
        Assert.DoesNotContain("\n", message);
        foreach (string part in parts)
            Assert.Contains(part, message);
    }
}
