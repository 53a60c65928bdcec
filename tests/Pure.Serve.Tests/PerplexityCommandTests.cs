using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Pure.Serve.Tests;

public class PerplexityCommandTests
{
    private const string Model = "models/stories-moe/stories-moe-q8_0.gguf";
    private const string Stories = "The cat sat on the mat. It was happy.\n<|endoftext|>\nTom had a red ball.\nHe liked it.\n<|endoftext|>\n";

    [Fact]
    public void Texts_are_scored_apart_and_averaged_by_token()
    {
        string model = Shared.Path(Model);
        using var folder = new TemporaryFolder();
        string both = folder.Write("both", Encoding.UTF8.GetBytes(Stories));
        string[] parts = [.. PerplexityText.Parts(Stories).Select((part, index) => folder.Write($"{index}", Encoding.UTF8.GetBytes(part)))];

        (double mean, long tokens, int texts) = Measure(model, both);
        (double mean, long tokens, int texts)[] apart = [.. parts.Select(part => Measure(model, part))];

        Assert.Equal(2, texts);
        Assert.Equal(apart.Sum(part => part.tokens), tokens);
        Assert.Equal(apart.Sum(part => part.mean * part.tokens) / tokens, mean, 1e-12);
    }

    [Fact]
    public void The_figure_is_the_mean_of_the_log_softmax_of_the_logits()
    {
        string model = Shared.Path(Model);
        string text = PerplexityText.Parts(Stories)[1];
        using var folder = new TemporaryFolder();
        string path = folder.Write("t", Encoding.UTF8.GetBytes(text));
        int[] ids = [.. CommandRun.Of("tokenize", model, "-f", path).Succeeds().Output.Split(' ').Select(int.Parse), 1];
        CommandRun.Of("logits", model, "-p", text, "-o", folder.File("l")).Succeeds();
        float[] logits = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(folder.File("l"))).ToArray();

        double nats = 0;
        for (int position = 0; position + 1 < ids.Length; position++)
        {
            float[] row = logits[(position * 2048)..((position + 1) * 2048)];
            nats += Math.Log(row.Sum(logit => Math.Exp(logit))) - row[ids[position + 1]];
        }

        (double mean, long tokens, _) = Measure(model, path);
        Assert.Equal(ids.Length - 1, tokens);
        Assert.Equal(nats / tokens, mean, 1e-9);
    }

    [Fact]
    public void Chunks_and_threads_do_not_change_the_figure()
    {
        string model = Shared.Path(Model);
        using var folder = new TemporaryFolder();
        string path = folder.Write("t", Encoding.UTF8.GetBytes(Stories));
        Assert.Equal(Measure(model, path, "-t", "1"), Measure(model, path, "-t", "3", "--prompt-chunk", "4"));
    }

    [Fact]
    public void Long_texts_are_cut_to_the_context()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("t", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("So it was. ", 300))));
        CommandRun run = CommandRun.Of("perplexity", Shared.Path(Model), "-f", path).Succeeds();
        Assert.Contains("511 predicted, in 1 text\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("1, to the context of 512", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_with_no_text_is_refused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("t", Encoding.UTF8.GetBytes("<|endoftext|>\n"));
        CommandRun.Of("perplexity", "-f", path).IsRefused(path, "no text");
        CommandRun.Of("perplexity").IsRefused("--file F");
    }

    private static (double Mean, long Tokens, int Texts) Measure(string model, string path, params string[] more)
    {
        CommandRun run = CommandRun.Of(["perplexity", model, "-f", path, "--json", .. more]).Succeeds();
        JsonElement report = JsonDocument.Parse(run.OutputBytes).RootElement;
        return (report.GetProperty("nats_per_token").GetDouble(), report.GetProperty("tokens").GetInt64(), report.GetProperty("texts").GetInt32());
    }
}
