namespace Pure.Serve.Tests;

public class CommandLineTests
{
    [Fact]
    public void Help_lists_commands_and_exit_codes()
    {
        string text = CommandRun.Of("--help").Succeeds().Output;
        foreach (string fact in new[] { "run", "info", "tokenize", "perplexity", "logits", "130", "stories-moe", "--version" })
            Assert.Contains(fact, text, StringComparison.Ordinal);
        Assert.Equal(text, CommandRun.Of().Succeeds().Output);
    }

    [Theory]
    [InlineData("run", "--prompt", "--n-predict", "--stop", "--json", "--logits-hash", "--temp", "--top-k", "--top-p", "--min-p",
        "--repeat-penalty", "--presence-penalty", "--frequency-penalty", "--seed", "--speculate", "--draft-tokens")]
    [InlineData("serve", "--host", "--port", "--api-key", "--api-key-file", "--alias", "--ctx-size", "--max-concurrent", "--max-queue", "--max-body",
        "--request-timeout", "--drain-timeout", "--temp", "--device", "--memory-limit", "/v1/chat/completions")]
    [InlineData("info", "-c", "--json")]
    [InlineData("tokenize", "--file", "--prompt", "--no-bos", "--no-parse-special", "--json")]
    [InlineData("perplexity", "--file", "--json")]
    [InlineData("logits", "--tokens", "--prompt", "--out")]
    public void Help_of_a_command_shows_each_option_and_an_example(string command, params string[] options)
    {
        string text = CommandRun.Of(command, "--help").Succeeds().Output;
        foreach (string option in options.Concat(["--threads", "--isa", "--activations", "--kv-type", "--prompt-chunk", $"  pure {command} "]))
            Assert.Contains(option, text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 100, line));
    }

    [Fact]
    public void Version_is_one_line() => Assert.Matches(@"\Apure \d+\.\d+\.\d+\n\z", CommandRun.Of("--version").Succeeds().Output);

    [Theory]
    [InlineData(new[] { "lgits" }, new[] { "unknown command \"lgits\"", "did you mean logits?" })]
    [InlineData(new[] { "info", "--jsn" }, new[] { "unknown option --jsn", "did you mean --json?" })]
    [InlineData(new[] { "info", "x.gguf", "--theads", "3" }, new[] { "unknown option --theads", "did you mean --threads?" })]
    [InlineData(new[] { "info", "--theads=3" }, new[] { "unknown option --theads,", "did you mean --threads?" })]
    [InlineData(new[] { "run", "--temperature", "1" }, new[] { "unknown option --temperature,", "did you mean --temp?" })]
    [InlineData(new[] { "run", "--repeat", "1" }, new[] { "did you mean --repeat-penalty?" })]
    [InlineData(new[] { "run", "-x" }, new[] { "unknown option -x; see pure run --help" })]
    [InlineData(new[] { "run", "-p", "a", "--stop" }, new[] { "option --stop needs a value" })]
    [InlineData(new[] { "info", "-c" }, new[] { "option -c needs a value", "-c N" })]
    [InlineData(new[] { "info", "-c", "--json" }, new[] { "option -c needs a value" })]
    [InlineData(new[] { "info", "-c", "many" }, new[] { "\"many\"", "a whole number from 1 up" })]
    [InlineData(new[] { "info", "-c", "-1" }, new[] { "\"-1\"", "from 1 up" })]
    [InlineData(new[] { "info", "-c", "99999999999999" }, new[] { "\"99999999999999\"" })]
    [InlineData(new[] { "info", "-c", "1.5" }, new[] { "\"1.5\"", "a whole number" })]
    [InlineData(new[] { "info", "-c", "1", "-c", "2" }, new[] { "-c is given 2 times" })]
    [InlineData(new[] { "info", "x.gguf", "y.gguf" }, new[] { "unexpected argument \"y.gguf\"" })]
    [InlineData(new[] { "info", "--isa", "sse9" }, new[] { "\"sse9\"", "scalar, neon, avx2, avx-vnni, avx512" })]
    [InlineData(new[] { "info", "--kv-type", "q4" }, new[] { "\"q4\"", "f32, f16" })]
    [InlineData(new[] { "info", "--activations", "int4" }, new[] { "\"int4\"", "q8, f32" })]
    [InlineData(new[] { "info", "--threads", "0" }, new[] { "\"0\"", "from 1 to 1024" })]
    [InlineData(new[] { "info", "--prompt-chunk", "0" }, new[] { "\"0\"" })]
    [InlineData(new[] { "logits", "--tokens", "1" }, new[] { "--out F" })]
    [InlineData(new[] { "logits", "--tokens", "1,two,3", "-o", "x" }, new[] { "\"two\"", "item 2" })]
    [InlineData(new[] { "logits", "--tokens", "", "-o", "x" }, new[] { "--tokens is empty" })]
    [InlineData(new[] { "logits", "--tokens", "99999999999", "-o", "x" }, new[] { "\"99999999999\"" })]
    public void A_wrong_command_line_gets_one_sentence(string[] args, string[] facts) => CommandRun.Of(args).IsRefused(facts);
}
