using Pure.Engine;
using Pure.Engine.Formats.Gguf;
using Pure.Tokenizers;

namespace Pure.Chat.Tests;

public sealed class ModelTokenizerTests
{
    [Fact]
    public void A_file_with_a_vocabulary_and_no_tensors_serves()
    {
        string[] paths = Directory.GetFiles(Shared.Path("data", "vocab"), "*.gguf");
        int read = 0;
        foreach (string path in paths)
        {
            try
            {
                Tokenizer tokenizer = ModelTokenizer.Open(path);
                const string text = "Hello, world! 123 äöü";
                string expected = path.Contains("bert", StringComparison.Ordinal) ? "hello , world ! 123 aou" : text; // uncased
                Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(text, addSpecial: false)));
                read++;
            }
            catch (ModelFormatException exception)
            {
                // Kinds of vocabulary that are not supported are named, with the file.
                Assert.StartsWith(path, exception.Message, StringComparison.Ordinal);
                Assert.Contains("supported", exception.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(read, 4, paths.Length);
    }

    [Fact]
    public void A_model_gives_its_tokenizer()
    {
        using LanguageModel model = LanguageModel.LoadDefault();
        Tokenizer tokenizer = ModelTokenizer.Create(model.Model.File);
        Assert.Equal(2048, tokenizer.VocabularySize);
        Assert.Equal((0, 1, true), (tokenizer.Bos, tokenizer.Eos, tokenizer.AddsBos));
    }

    [Fact]
    public void A_folder_with_a_sentencepiece_file_and_no_tokenizer_json_serves()
    {
        using var folder = new TinyFolder();
        string file = Shared.Path("data", "hf-tokenizers", "neural-api-tiny", "tiny_spm_bpe.model");
        File.Copy(file, folder.Path("tokenizer.model"));
        Assert.Equal(TinyFolder.Vocabulary.Length, ModelTokenizer.Open(folder.Root).VocabularySize);
        File.Delete(folder.Path("tokenizer.json"));
        File.Delete(folder.Path("tokenizer_config.json"));

        Tokenizer tokenizer = ModelTokenizer.Open(folder.Root);
        Tokenizer alone = SentencePieceModel.Open(file);
        const string Text = "the cat sat on the mat";
        Assert.Equal(alone.Encode(Text), tokenizer.Encode(Text));
        Assert.Equal(Text, tokenizer.Decode(tokenizer.Encode(Text, addSpecial: false)));

        File.Delete(folder.Path("tokenizer.model"));
        string message = Assert.Throws<ModelFormatException>(() => ModelTokenizer.Open(folder.Root)).Message;
        Assert.Contains("neither a tokenizer.json nor a tokenizer.model", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_token_between_texts_ends_them_where_nothing_else_does()
    {
        using GgufFile file = GgufFile.Open(
            GgufMetadata.Of(
                ("tokenizer.ggml.model", "bert"),
                ("tokenizer.ggml.tokens", new[] { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u2581a", "!" }),
                ("tokenizer.ggml.seperator_token_id", 5L)),
            "some.gguf");
        Assert.Equal(5, ModelTokenizer.Create(file).Eos);
    }

    [Fact]
    public void A_file_without_a_usable_vocabulary_is_refused_by_name()
    {
        Refuses("no vocabulary", ("general.architecture", "llama"));
        Refuses("no vocabulary", ("tokenizer.ggml.model", "gpt2"));
        Refuses("rwkv", ("tokenizer.ggml.model", "rwkv"), ("tokenizer.ggml.tokens", new[] { "a" }));
        Refuses("token_type", ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.tokens", new[] { "a" }), ("tokenizer.ggml.token_type", "x"));
        Refuses("bos_token_id", ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.tokens", new[] { "a" }), ("tokenizer.ggml.bos_token_id", 1L << 40));

        static void Refuses(string words, params (string Key, object Value)[] metadata)
        {
            using GgufFile file = GgufFile.Open(GgufMetadata.Of(metadata), "some.gguf");
            string message = Assert.Throws<ModelFormatException>(() => ModelTokenizer.Create(file)).Message;
            Assert.StartsWith("some.gguf: ", message, StringComparison.Ordinal);
            Assert.Contains(words, message, StringComparison.Ordinal);
        }
    }
}
