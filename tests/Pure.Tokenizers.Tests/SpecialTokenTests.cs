namespace Pure.Tokenizers.Tests;

public sealed class SpecialTokenTests
{
    private const int Bos = 262;
    private const int Eot = 263;
    private const int Think = 264;

    private static readonly Tokenizer Tokenizer = Tokenizer.Create(Vocabularies.Bytes);

    [Fact]
    public void Control_tokens_are_parsed_only_at_the_callers_wish()
    {
        Assert.Equal([Eot, 'a'], Tokenizer.Encode("<|eot_id|>a", addSpecial: false));
        Assert.Equal("<|eot_id|>a".Select(c => (int)c), Tokenizer.Encode("<|eot_id|>a", addSpecial: false, parseSpecial: false));
    }

    [Fact]
    public void User_defined_tokens_are_always_found() =>
        Assert.Equal(['a', Think, 'b'], Tokenizer.Encode("a<think>b", addSpecial: false, parseSpecial: false));

    [Fact]
    public void Special_tokens_are_added_at_the_callers_wish()
    {
        Assert.Equal([Bos, 'a'], Tokenizer.Encode("a"));
        Assert.Equal(['a'], Tokenizer.Encode("a", addSpecial: false));
        Assert.Equal([Bos, 'a', Eot], Tokenizer.Create(Vocabularies.Bytes with { AddEos = true }).Encode("a"));
        Assert.Equal([Bos], Tokenizer.Encode(""));
        Assert.Empty(Tokenizer.Encode("", addSpecial: false));
    }

    [Fact]
    public void Control_tokens_are_rendered_only_at_the_callers_wish()
    {
        Assert.Equal("a", Tokenizer.Decode([Bos, 'a', Eot]));
        Assert.Equal("<|bos|>a<|eot_id|>", Tokenizer.Decode([Bos, 'a', Eot], renderSpecial: true));
        Assert.Equal("<think>a", Tokenizer.Decode([Think, 'a']));
    }

    [Fact]
    public void Unused_slots_are_never_parsed_and_have_no_text()
    {
        int unused = Tokenizer.FindToken("[PAD265]")!.Value;
        Assert.DoesNotContain(unused, Tokenizer.Encode("[PAD265]"));
        Assert.Equal("", Tokenizer.Decode([unused], renderSpecial: true));
        Assert.Equal(TokenKind.Unused, Tokenizer.Kind(unused));
    }

    [Fact]
    public void The_longest_special_token_is_cut_out_first()
    {
        var data = Vocabularies.Bytes with
        {
            Tokens = [.. Vocabularies.Bytes.Tokens, "<x>", "<x><y", "y>ab>"],
            Kinds = [.. Vocabularies.Bytes.Kinds!, 4, 4, 4],
        };
        var tokenizer = Tokenizer.Create(data);
        int first = Vocabularies.Bytes.Tokens.Count;
        Assert.Equal([first, first + 1], tokenizer.Encode("<x><x><y", addSpecial: false));
        // Both have five characters: the one with the lower id goes first.
        Assert.Equal([first + 1, '>', 'a', 'b', '>'], tokenizer.Encode("<x><y>ab>", addSpecial: false));
    }

    [Fact]
    public void Phi_3_drops_blanks_after_its_special_tokens()
    {
        var data = Vocabularies.Pieces with { ModelName = "Phi-3 mini", Kinds = [2, 3, 4, .. Vocabularies.Pieces.Kinds!.Skip(3)] };
        var tokenizer = Tokenizer.Create(data);
        int piece = tokenizer.FindToken("▁a")!.Value;
        Assert.Equal([2, piece], tokenizer.Encode("</s> \n a", addSpecial: false, parseSpecial: false));
        Assert.NotEqual([2, piece], Tokenizer.Create(data with { ModelName = "other" }).Encode("</s> \n a", addSpecial: false));
        Assert.NotEqual([1, piece], tokenizer.Encode("<s> \n a", addSpecial: false));
    }

    [Fact]
    public void Generation_ends_at_the_files_tokens_and_at_well_known_names()
    {
        var data = Vocabularies.Bytes with
        {
            Tokens = [.. Vocabularies.Bytes.Tokens, "<|im_end|>", "<end_of_turn>"],
            Kinds = [.. Vocabularies.Bytes.Kinds!, 1, 4],
            Eos = 'a',
            Eot = 'b',
        };
        var tokenizer = Tokenizer.Create(data);
        int[] ends = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsEndOfGeneration)];
        Assert.Equal(['a', 'b', Eot, 266, 267], ends);
        Assert.Equal(TokenKind.Control, tokenizer.Kind(266));
        Assert.Equal(TokenKind.Control, tokenizer.Kind(267));
    }

    [Fact]
    public void The_end_of_a_channel_does_not_end_a_harmony_answer()
    {
        var tokenizer = Tokenizer.Create(Vocabularies.Bytes with
        {
            Tokens = [.. Vocabularies.Bytes.Tokens, "<|end|>", "<|return|>", "<|call|>", "<|channel|>"],
            Kinds = [.. Vocabularies.Bytes.Kinds!, 3, 3, 3, 3],
        });
        Assert.False(tokenizer.IsEndOfGeneration(266));
        Assert.True(tokenizer.IsEndOfGeneration(267));
        Assert.True(tokenizer.IsEndOfGeneration(268));
        Assert.Equal(TokenKind.UserDefined, tokenizer.Kind(269));
    }

    [Fact]
    public void Absent_ids_have_the_defaults_of_the_model()
    {
        var pieces = Tokenizer.Create(Vocabularies.Pieces);
        Assert.Equal((1, 2, 0), (pieces.Bos, pieces.Eos, pieces.Unknown));
        Assert.True(pieces.AddsBos);
        Assert.False(pieces.AddsEos);

        var bytes = Tokenizer.Create(Vocabularies.Bytes with { Bos = null, Eos = null, AddBos = null });
        Assert.Null(bytes.Bos);
        Assert.Null(bytes.Eos);
        Assert.False(bytes.AddsBos);
        Assert.True(Tokenizer.Create(Vocabularies.Bytes with { PreTokenizer = "llama-bpe", AddBos = null }).AddsBos);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(266)]
    [InlineData(int.MaxValue)]
    public void An_id_outside_the_vocabulary_is_refused(int id)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.Decode([id]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.TokenText(id));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.IsEndOfGeneration(id));
    }
}
