using System.Text;
using Microsoft.ML.Tokenizers;
using Pure.Chat;
using MLTokenizer = Microsoft.ML.Tokenizers.Tokenizer;

namespace Pure.Tokenizers.MicrosoftML.Tests;

/// <summary>Small vocabularies, each as a tokenizer of Pure's and as one that Microsoft.ML.Tokenizers itself makes.</summary>
internal static class Libraries
{
    /// <summary>GPT-2's splitting of text into words.</summary>
    private const string Words = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The kinds of tokenizer that the library has, and one that it has never heard of.</summary>
    public static readonly string[] Names = ["tiktoken", "byte-level BPE", "BPE of words", "sentencepiece", "wordpiece", "the caller's own"];

    public static MLTokenizer Create(string name) => name switch
    {
        "tiktoken" => Tiktoken,
        "byte-level BPE" => ByteLevel,
        "BPE of words" => BpeTokenizer.Create(new BpeOptions(
            Numbered("a", "b", "c", "a</w>", "b</w>", "c</w>", "ab", "ab</w>", "[UNK]"))
        {
            Merges = ["a b", "a b</w>"],
            EndOfWordSuffix = "</w>",
            UnknownToken = "[UNK]",
        }),
        "sentencepiece" => CreateSentencePiece(specialTokens: null),
        "wordpiece" => WordPieceTokenizer.Create(
            new MemoryStream(Encoding.UTF8.GetBytes("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\nthe\n##re\n!\n字\ncat\n,\n##s")),
            new WordPieceOptions { SpecialTokens = Numbered("[PAD]", "[UNK]", "[CLS]", "[SEP]") }),
        _ => Gpt2.ToMicrosoftML(),
    };

    /// <summary>Byte-level BPE with some 600 merges, and the special tokens of chat models.</summary>
    public static Tokenizer Gpt2 { get; } = Golden("bpe-gpt-2.gguf");

    /// <summary>SentencePiece's BPE with byte tokens and a blank before the text.</summary>
    public static Tokenizer Pieces { get; } = Golden("spm-prefix.gguf");

    public static MLTokenizer Tiktoken
    {
        get
        {
            IEnumerable<string> lines = Tokens(Gpt2, TokenKind.Normal).Select(id => $"{Convert.ToBase64String(Gpt2.TokenBytes(id))} {id}");
            return TiktokenTokenizer.Create(
                new MemoryStream(Encoding.ASCII.GetBytes(string.Join('\n', lines))),
                new RegexPreTokenizer(new System.Text.RegularExpressions.Regex(Words), Special(Gpt2)),
                normalizer: null,
                Special(Gpt2));
        }
    }

    public static MLTokenizer ByteLevel => BpeTokenizer.Create(new BpeOptions(Tokens(Gpt2).Select(id => KeyValuePair.Create(Gpt2.TokenText(id), id)))
    {
        Merges = GgufMerges("bpe-gpt-2.gguf"),
        PreTokenizer = new RegexPreTokenizer(new System.Text.RegularExpressions.Regex(Words), Special(Gpt2)),
        SpecialTokens = Special(Gpt2),
        ByteLevel = true,
    });

    /// <summary>The pieces in SentencePiece's own file format: https://github.com/google/sentencepiece, sentencepiece_model.proto.</summary>
    public static MLTokenizer CreateSentencePiece(IReadOnlyDictionary<string, int>? specialTokens)
    {
        float[] scores = Metadata("spm-prefix.gguf", metadata => metadata.FindFloats("tokenizer.ggml.scores")!);
        var model = new List<byte>();
        foreach (int id in Tokens(Pieces))
        {
            // Of type: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte, as GGUF numbers them too.
            var piece = new List<byte>();
            Field(piece, 1, Encoding.UTF8.GetBytes(Pieces.TokenText(id)));
            piece.AddRange([(2 << 3) | 5, .. BitConverter.GetBytes(scores[id])]);
            Number(piece, 3, (int)Pieces.Kind(id));
            Field(model, 1, [.. piece]);
        }

        var trainer = new List<byte>();
        Number(trainer, 3, 2); // BPE
        Number(trainer, 35, 1); // falls back to bytes
        Number(trainer, 40, Pieces.Unknown ?? 0);
        Number(trainer, 41, Pieces.Bos!.Value);
        Number(trainer, 42, Pieces.Eos!.Value);
        Field(model, 2, [.. trainer]);
        var normalizer = new List<byte>();
        Field(normalizer, 1, "identity"u8.ToArray());
        Number(normalizer, 3, 1); // a blank before the text
        Number(normalizer, 4, 0); // keeps further blanks
        Number(normalizer, 5, 1); // writes them as ▁
        Field(model, 3, [.. normalizer]);
        return SentencePieceTokenizer.Create(new MemoryStream([.. model]), addBeginningOfSentence: true, addEndOfSentence: false, specialTokens);

        static void Field(List<byte> message, int number, byte[] value)
        {
            Varint(message, (number << 3) | 2);
            Varint(message, value.Length);
            message.AddRange(value);
        }

        static void Number(List<byte> message, int number, int value)
        {
            Varint(message, number << 3);
            Varint(message, value);
        }

        static void Varint(List<byte> message, int value)
        {
            for (; value > 127; value >>= 7)
                message.Add((byte)(value | 128));
            message.Add((byte)value);
        }
    }

    public static Dictionary<string, int> Special(Tokenizer tokenizer) =>
        Tokens(tokenizer, TokenKind.Control, TokenKind.UserDefined).ToDictionary(tokenizer.TokenText);

    public static string GoldenPath(string name) => Path.Combine(AppContext.BaseDirectory, "goldens", name);

    private static Tokenizer Golden(string name) => ModelTokenizer.Open(GoldenPath(name));

    private static T Metadata<T>(string name, Func<Pure.Engine.Formats.Metadata, T> read)
    {
        using var file = Pure.Engine.Formats.Gguf.GgufFile.Open(GoldenPath(name));
        return read(file.Metadata);
    }

    private static string[] GgufMerges(string name) => Metadata(name, metadata => metadata.FindStrings("tokenizer.ggml.merges")!);

    private static IEnumerable<int> Tokens(Tokenizer tokenizer, params TokenKind[] kinds) =>
        Enumerable.Range(0, tokenizer.VocabularySize).Where(id => kinds.Length == 0 || kinds.Contains(tokenizer.Kind(id)));

    private static Dictionary<string, int> Numbered(params string[] tokens) => tokens.Select((token, id) => (token, id)).ToDictionary();
}
