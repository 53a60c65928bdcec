using Pure.Engine;
using Pure.Tokenizers;

namespace Pure.Chat.Tests;

public sealed class GgufTokenizerTests
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
                Tokenizer tokenizer = GgufTokenizer.Open(path);
                const string text = "Hello, world! 123 äöü";
                Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecial: false)));
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
    public void A_model_file_gives_its_tokenizer()
    {
        Tokenizer tokenizer = GgufTokenizer.Open(Shared.Path("models", "stories-moe", "stories-moe-q8_0.gguf"));
        Assert.Equal(2048, tokenizer.VocabularySize);
        Assert.Equal((0, 1, true), (tokenizer.Bos, tokenizer.Eos, tokenizer.AddsBos));
    }
}
