using System.Text.Json;

namespace Pure.Serve.Tests;

/// <summary>Positions stretched from the command line; the embedded model was trained for 512 tokens.</summary>
public class RopeOptionTests
{
    private static readonly string[] Hashed = ["run", "-p", "Once upon a time", "-n", "4", "--temp", "0", "--logits-hash"];

    [Fact]
    public void Each_way_to_stretch_gives_its_own_bits_whatever_the_chunk()
    {
        string[][] ways =
        [
            [], ["--rope-scale", "2"], ["--rope-scaling", "ntk", "--rope-scale", "2"], ["--rope-scaling", "yarn", "--rope-scale", "2"],
            ["--rope-scaling", "dynamic", "-c", "2048"], ["--rope-scaling", "dynamic", "--rope-scale", "2", "-c", "2048"],
            ["--rope-freq-base", "20000"],
        ];
        var hashes = new HashSet<string>();
        foreach (string[] way in ways)
        {
            string hash = CommandRun.Of([.. Hashed, .. way]).Succeeds().LastErrorLine;
            Assert.True(hashes.Add(hash), string.Join(' ', way));
            Assert.Equal(hash, CommandRun.Of([.. Hashed, .. way, "--prompt-chunk", "2"]).Succeeds().LastErrorLine);
        }
    }

    [Fact]
    public void Names_of_the_same_thing_give_the_same_bits()
    {
        string scale = CommandRun.Of([.. Hashed, "--rope-scaling", "linear", "--rope-scale", "2"]).Succeeds().LastErrorLine;
        Assert.Equal(scale, CommandRun.Of([.. Hashed, "--rope-freq-scale", "0.5"]).Succeeds().LastErrorLine);
        string plain = CommandRun.Of(Hashed).Succeeds().LastErrorLine;
        Assert.Equal(plain, CommandRun.Of([.. Hashed, "--rope-scaling", "none"]).Succeeds().LastErrorLine);
        Assert.Equal(plain, CommandRun.Of([.. Hashed, "--rope-scaling", "dynamic", "-c", "512"]).Succeeds().LastErrorLine);
    }

    [Fact]
    public void A_stretched_model_reads_longer_texts()
    {
        string text = string.Concat(Enumerable.Repeat("Tom has a red ball. Tom likes to play. ", 60));
        CommandRun.Of("run", "-p", text, "-n", "1").IsRefused("the context is 512");
        CommandRun.Of("run", "-p", text, "-n", "1", "--rope-scale", "4").Succeeds();
        CommandRun info = CommandRun.Of("info", "-c", "2048", "--rope-scaling", "yarn", "--rope-scale", "4", "--json").Succeeds();
        JsonElement report = JsonDocument.Parse(info.OutputBytes).RootElement;
        Assert.Equal(2048, report.GetProperty("sizes").GetProperty("context_length").GetInt32());
        Assert.Equal(2048, report.GetProperty("memory").GetProperty("context").GetInt32());
    }

    [Theory]
    [InlineData("--rope-scaling", "--rope-scaling longrope", "linear")]
    [InlineData("--rope-scale", "--rope-scale 0", "above 0")]
    [InlineData("--rope-scale", "--rope-scale 2 --rope-freq-scale 0.5", "one of them")]
    [InlineData("--rope-scale", "--rope-scaling yarn", "how much")]
    [InlineData("stretched", "--rope-scaling none --rope-scale 2", "scaling")]
    [InlineData("YaRN", "--rope-scaling linear --rope-scale 2 --yarn-beta-fast 16", "linear")]
    [InlineData("original context", "--yarn-orig-ctx 256", "256")]
    [InlineData("513", "-c 513", "512")]
    public void Wrong_combinations_are_one_sentence(string fact, string options, string other) =>
        CommandRun.Of(["run", "-p", "Once", .. options.Split(' ')]).IsRefused(fact, other);
}
