namespace Pure.Tokenizers.Tests;

/// <summary>Vocabularies made up for tests.</summary>
internal static class Vocabularies
{
    /// <summary>Byte-level: the 256 bytes as ids 0 to 255, a few merges, and special tokens at the end.</summary>
    public static readonly VocabularyData Bytes = new()
    {
        Model = "gpt2",
        PreTokenizer = "gpt-2",
        Tokens =
        [
            .. Enumerable.Range(0, 256).Select(value => ByteAlphabet.Spell((byte)value).ToString()),
            "aa", "aaaa", "ĠĠ", "th", "the", "Ġthe", "<|bos|>", "<|eot_id|>", "<think>", "[PAD265]",
        ],
        Kinds = [.. Enumerable.Repeat(1, 262), 3, 3, 4, 5],
        Merges = ["a a", "aa aa", "Ġ Ġ", "t h", "th e", "Ġ the"],
        Bos = 262,
        Eos = 263,
        AddBos = true,
    };

    /// <summary>Characters that join, with the 256 byte tokens for others.</summary>
    public static readonly VocabularyData Characters = new()
    {
        Model = "gpt2",
        PreTokenizer = "gemma4",
        Tokens =
        [
            "<unk>", "<bos>", "<eos>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"),
            "▁", "a", "t", "h", "e", "é", "\n", "aa", "▁▁", "th", "the", "▁the", "\n\n", "▁a",
        ],
        Kinds = [2, 3, 3, .. Enumerable.Repeat(6, 256), .. Enumerable.Repeat(1, 14)],
        Merges = ["a a", "▁ ▁", "t h", "th e", "▁ the", "▁ a"],
        Bos = 1,
        Eos = 2,
        Unknown = 0,
    };

    /// <summary>A vocabulary for a pre-tokenizer.</summary>
    public static VocabularyData For(string preTokenizer) =>
        (PreTokenizers.PreTokenizer.Named(preTokenizer).KeepsCharacters ? Characters : Bytes) with { PreTokenizer = preTokenizer };

    /// <summary>SentencePiece style: unknown, begin, end, the 256 byte tokens, and a few pieces.</summary>
    public static readonly VocabularyData Pieces = new()
    {
        Model = "llama",
        Tokens =
        [
            "<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"),
            "▁", "a", "b", "c", "▁a", "ab", "bc", "▁ab", "é",
        ],
        Kinds = [2, 3, 3, .. Enumerable.Repeat(6, 256), .. Enumerable.Repeat(1, 9)],
        Scores = [.. Enumerable.Repeat(0f, 259), -1, -2, -3, -4, -8, -7, -6, -9, -5],
    };

    /// <summary>WordPiece as GGUF spells it.</summary>
    public static readonly VocabularyData Words = new()
    {
        Model = "bert",
        Tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁a", "a", "aa", "▁b", "b", "▁the", "re", "▁!", "▁字", "▁e", "e"],
        Kinds = [3, 3, 3, 3, .. Enumerable.Repeat(1, 11)],
    };

    /// <summary>The id of the n-th piece of <see cref="Pieces"/> after the bytes.</summary>
    public const int FirstPiece = 259;
}
