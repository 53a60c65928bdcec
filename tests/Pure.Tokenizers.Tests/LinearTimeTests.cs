using System.Diagnostics;
using Pure.Tokenizers.PreTokenizers;

namespace Pure.Tokenizers.Tests;

/// <summary>Hostile texts cost no more than others: a megabyte of one character within two seconds. Nothing else runs beside
/// these tests, so the processor time of the process is theirs, and a busy machine does not matter.</summary>
[Collection(nameof(LinearTimeTests))]
[CollectionDefinition(nameof(LinearTimeTests), DisableParallelization = true)]
public sealed class LinearTimeTests
{
    private const int Megabyte = 1 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>A letter, blanks, a line break, punctuation, a digit, an emoji in parts, a mark, an ideograph, and mixtures.</summary>
    private static readonly string[] Difficult =
        ["a", " ", "\n", "!", "9", "👩‍👩‍👧", "\u0301", "字", "é", " a", "a ", "\n ", "🙂", "<s>", "▁", "\u3000", "\0"];

    /// <summary>One name for each pre-tokenizer.</summary>
    public static readonly TheoryData<string> PreTokenizerNames = [.. PreTokenizer.Names.DistinctBy(PreTokenizer.Named)];

    public static readonly TheoryData<string> Published =
    [
        "ggml-vocab-gpt-2.gguf", "ggml-vocab-deepseek-llm.gguf", "ggml-vocab-mpt.gguf", "ggml-vocab-llama-spm.gguf",
        "ggml-vocab-phi-3.gguf", "self-llama-bpe.gguf.gz", "self-qwen3.gguf.gz", "self-deepseek-v3.gguf.gz",
    ];

    [Theory]
    [MemberData(nameof(Published))]
    public void A_megabyte_of_one_character_takes_under_two_seconds(string vocabulary) =>
        AssertFast(Goldens.Load(Goldens.Shared("data", "vocab", vocabulary)), "a", " ");

    [Theory]
    [MemberData(nameof(PreTokenizerNames))]
    public void Every_pre_tokenizer_is_linear(string name) => AssertFast(
        Tokenizer.Create(Vocabularies.For(name)),
        "a", " ", "\n", "9", "!", "'", "é", "字", " x", "\n ", "\u3000", "<", "🙂", "👩‍👩‍👧", "\u0301", "a\u0301", "a ", "1½", "<sentinel:1", "IMGIMG");

    [Fact]
    public void Sentence_pieces_are_linear() => AssertFast(Tokenizer.Create(Vocabularies.Pieces), Difficult);

    [Fact]
    public void Words_in_pieces_are_linear() => AssertFast(Tokenizer.Create(Vocabularies.Words), Difficult);

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void Files_of_sentence_pieces_are_linear(int model, bool hasBytes) =>
        AssertFast(SentencePieceModel.Create(SentencePieceBuilder.Tiny(model, hasBytes)), [.. Difficult, "the", "hé"]);

    public static readonly TheoryData<string> Kinds = [.. TinyTokenizers.Names];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_of_tokenizer_json_is_linear(string kind) => AssertFast(
        TokenizerJson.Create(TinyTokenizers.Read(kind)), Difficult);

    [Theory]
    [InlineData("deepseek-v3")]
    [InlineData("qwen3")]
    [InlineData("llama-3.1")]
    [InlineData("phi3-v")]
    [InlineData("bert-base-uncased")]
    public void A_megabyte_of_one_character_takes_a_published_tokenizer_under_two_seconds(string name) =>
        AssertFast(TokenizerJsonTests.Load(name), "a", " ");

    private static void AssertFast(Tokenizer tokenizer, params ReadOnlySpan<string> units)
    {
        foreach (string unit in units)
        {
            // The character after the run takes away what patterns like \s+$ hope for.
            string text = string.Concat(Enumerable.Repeat(unit, Megabyte / unit.Length)) + "x";
            var before = ProcessorTime();
            tokenizer.Encode(text);
            var taken = ProcessorTime() - before;
            Assert.True(taken < Limit, $"{taken} for a megabyte of U+{(int)unit[0]:X4}");
        }
    }

    private static TimeSpan ProcessorTime()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }
}
