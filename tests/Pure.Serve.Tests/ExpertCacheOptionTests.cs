namespace Pure.Serve.Tests;

/// <summary>The option that says how much of a device is for experts that are copied there.</summary>
public sealed class ExpertCacheOptionTests
{
    [Fact]
    public void Experts_on_a_device_need_one() =>
        CommandRun.Of("run", "-p", "x", "--gpu-expert-cache", "1G").IsRefused("--gpu-expert-cache", "add --device cuda:0 or --device auto");

    [Theory]
    [InlineData("0")]
    [InlineData("many")]
    public void What_is_no_size_is_refused(string given) =>
        CommandRun.Of("run", "-p", "x", "--device", "emulated", "--gpu-expert-cache", given).IsRefused("--gpu-expert-cache", "700M");

    [Theory]
    [InlineData("run")]
    [InlineData("chat")]
    [InlineData("bench")]
    [InlineData("perplexity")]
    public void Help_names_it(string command) =>
        Assert.Contains("--gpu-expert-cache", CommandRun.Of(command, "--help").Succeeds().Output, StringComparison.Ordinal);
}
