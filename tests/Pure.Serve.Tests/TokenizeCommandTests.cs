using System.Text;
using System.Text.Json;

namespace Pure.Serve.Tests;

public class TokenizeCommandTests
{
    [Theory]
    [InlineData("bpe-gpt-2")]
    [InlineData("bpe-llama-bpe")]
    [InlineData("spm-prefix")]
    public void A_file_with_a_vocabulary_only_gives_the_reference_ids(string name)
    {
        string vocabulary = Shared.Path($"goldens/tokenizer/{name}.gguf");
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Shared.Path($"goldens/tokenizer/{name}.json")));
        foreach (JsonElement test in golden.RootElement.GetProperty("cases").EnumerateArray())
        {
            byte[] text = Convert.FromHexString(test.GetProperty("utf8_hex").GetString()!);
            Assert.Equal(Line(test.GetProperty("special")), Tokenize(text, vocabulary));
            Assert.Equal(Line(test.GetProperty("plain")), Tokenize(text, vocabulary, "--no-bos", "--no-parse-special"));
        }

        static string Line(JsonElement ids) => string.Join(' ', ids.EnumerateArray()) + "\n";
        static string Tokenize(byte[] text, params string[] args) =>
            CommandRun.Of(text, CancellationToken.None, ["tokenize", .. args, "--file", "-"]).Succeeds().Output;
    }

    [Fact]
    public void A_text_is_taken_byte_by_byte_from_a_file()
    {
        string vocabulary = Shared.Path("goldens/tokenizer/bpe-gpt-2.gguf");
        using var folder = new TemporaryFolder();
        string path = folder.Write("text", Encoding.UTF8.GetBytes("\uFEFFa\r\n\n"));

        CommandRun run = CommandRun.Of("tokenize", vocabulary, "-f", path, "--no-bos", "--json").Succeeds();

        JsonElement report = JsonDocument.Parse(run.OutputBytes).RootElement;
        string tokens = string.Concat(report.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()));
        Assert.Equal("ï»¿ačĊĊ", tokens);
        Assert.Equal(report.GetProperty("count").GetInt32(), report.GetProperty("ids").GetArrayLength());
    }

    [Fact]
    public void The_prompt_and_the_file_give_the_same_ids()
    {
        string vocabulary = Shared.Path("goldens/tokenizer/bpe-gpt-2.gguf");
        byte[] text = Encoding.UTF8.GetBytes("@née [x]");
        Assert.Equal(
            CommandRun.Of(text, CancellationToken.None, "tokenize", vocabulary, "-f", "-").Succeeds().Output,
            CommandRun.Of("tokenize", vocabulary, "-p", "@née [x]").Succeeds().Output);
    }

    [Theory]
    [InlineData("61FF62", "0xFF at offset 1")]
    [InlineData("C3A9C3", "0xC3 at offset 2")]
    [InlineData("EDA080", "0xED at offset 0")]
    [InlineData("616263C0AF", "0xC0 at offset 3")]
    public void Bytes_that_are_not_utf_8_are_named_with_their_offset(string hex, string fact)
    {
        string vocabulary = Shared.Path("goldens/tokenizer/bpe-gpt-2.gguf");
        CommandRun.Of(Convert.FromHexString(hex), CancellationToken.None, "tokenize", vocabulary, "-f", "-")
            .IsRefused("standard input is not UTF-8", fact);
    }

    [Fact]
    public void Texts_that_cannot_be_read_are_refused()
    {
        string vocabulary = Shared.Path("goldens/tokenizer/bpe-gpt-2.gguf");
        using var folder = new TemporaryFolder();
        CommandRun.Of("tokenize", vocabulary).IsRefused("--prompt TEXT or --file F");
        CommandRun.Of("tokenize", vocabulary, "-p", "").IsRefused("--prompt is empty");
        CommandRun.Of("tokenize", vocabulary, "-p", "a\uD800").IsRefused("not UTF-8 at character 1");
        CommandRun.Of("tokenize", vocabulary, "-p", "a\uFFFDb").IsRefused("not UTF-8 at character 1");
        CommandRun.Of("tokenize", vocabulary, "-p", "a", "-f", "b").IsRefused("--prompt and --file");
        CommandRun.Of("tokenize", vocabulary, "-f", folder.Root).IsRefused(folder.Root, "directory");
        CommandRun.Of("tokenize", vocabulary, "-f", folder.File("none")).IsRefused(folder.File("none"), "no such file");
    }
}
