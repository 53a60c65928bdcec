namespace Pure.Serve.Tests;

/// <summary><c>pure run --prompt-cache</c> and <c>--context-shift</c>.</summary>
public sealed class PromptCacheFileTests : IDisposable
{
    private const string Prompt = "Once upon a time, there was a little dog. He had a big red ball and he liked to run in the park.";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_second_run_reads_the_file_and_not_the_text_and_says_the_same()
    {
        string cache = _folder.File("prompt.kv");
        string[] args = ["run", "-p", Prompt, "-n", "8", "--seed", "5", "--logits-hash"];
        CommandRun plain = CommandRun.Of(args).Succeeds();
        CommandRun first = CommandRun.Of([.. args, "--prompt-cache", cache]).Succeeds();
        CommandRun second = CommandRun.Of([.. args, "--prompt-cache", cache]).Succeeds();
        CommandRun longer = CommandRun.Of("run", "-p", Prompt + " One day", "-n", "8", "--seed", "5", "--logits-hash", "--prompt-cache", cache).Succeeds();

        Assert.Equal(plain.LastErrorLine, first.LastErrorLine);
        Assert.Equal(plain.LastErrorLine, second.LastErrorLine);
        Assert.Equal(plain.Output, second.Output);
        Assert.Equal(CommandRun.Of("run", "-p", Prompt + " One day", "-n", "8", "--seed", "5", "--logits-hash").Succeeds().LastErrorLine, longer.LastErrorLine);
        Assert.Contains("restored    0 of ", first.Errors, StringComparison.Ordinal);
        Assert.Matches("(?m)^restored    [1-9][0-9]* of ", second.Errors);
        Assert.Matches("(?m)^restored    [1-9][0-9]* of ", longer.Errors);
        Assert.Single(Directory.GetFiles(_folder.Root));
    }

    [Fact]
    public void Files_that_do_not_fit_are_one_sentence()
    {
        string cache = _folder.File("prompt.kv");
        string[] args = ["run", "-p", Prompt, "-n", "0", "--prompt-cache", cache];
        CommandRun.Of(args).Succeeds();
        CommandRun.Of([.. args, "--kv-type", "f32"]).IsRefused("prompt.kv", "another model");
        CommandRun.Of([.. args, "--rope-scale", "2"]).IsRefused("prompt.kv", "another model");
        byte[] bytes = File.ReadAllBytes(cache);
        bytes[^100] ^= 1;
        File.WriteAllBytes(cache, bytes);
        CommandRun.Of(args).IsRefused("prompt.kv", "checksum");
        File.WriteAllText(cache, "Once upon a time");
        CommandRun.Of(args).IsRefused("prompt.kv", "no prompt cache");
        CommandRun.Of("run", "-p", Prompt, "--prompt-cache", _folder.Root).IsRefused("directory");
        CommandRun.Of("run", "-p", Prompt, "-n", "1", "--prompt-cache", _folder.File("none/prompt.kv")).IsRefused("no folder");
    }

    [Fact]
    public void A_text_outgrows_its_context_only_where_that_is_asked_for()
    {
        string[] args = ["run", "-p", Prompt, "-n", "60", "-c", "48", "--temp", "1", "--seed", "3"];
        Assert.Contains("the context is full", CommandRun.Of(args).Succeeds().Errors, StringComparison.Ordinal);
        foreach (string[] keep in new string[][] { [], ["--keep", "8"], ["--keep", "-1"] })
            Assert.DoesNotContain("the context is full", CommandRun.Of([.. args, "--context-shift", .. keep]).Succeeds().Errors, StringComparison.Ordinal);
        CommandRun.Of([.. args, "--keep", "8"]).IsRefused("--context-shift");
        CommandRun.Of([.. args, "--context-shift", "--keep", "48"]).IsRefused("48");
        CommandRun.Of([.. args, "--context-shift", "--speculate", "lookup"]).IsRefused("Guessing");
        CommandRun.Of("run", "-p", Prompt, "-c", "16", "--context-shift").IsRefused("the context is 16");
    }
}
