using System.Runtime.InteropServices;

namespace Pure.Serve.Tests;

public sealed class DiffCommandTests : IDisposable
{
    private const int Different = 3;
    private const string Tokens = "317,77,118,294,272,77";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("f32")]
    [InlineData("f64")]
    public void A_swapped_pairing_of_rotary_dimensions_shows_in_the_first_attention_from_position_one(string precision)
    {
        CommandRun diff = DiffToOriginal(new BentModel().Key("llama.rope.pairing", "halves"), precision);

        Assert.Equal(Different, diff.ExitCode);
        Assert.Contains("They part in blk.0.attn_out, layer 0, at position 1.", diff.Output, StringComparison.Ordinal);
        Assert.Contains("before it       blk.0.attn_norm agrees", diff.Output, StringComparison.Ordinal);
        Assert.Contains("RoPE's pairing", diff.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blk.1.attn_norm.weight", "blk.1.attn_norm", "blk.0.layer_out")]
    [InlineData("blk.0.ffn_norm.weight", "blk.0.ffn_norm", "blk.0.attn_residual")]
    [InlineData("output_norm.weight", "output_norm", "blk.1.layer_out")]
    public void A_missing_norm_weight_shows_in_its_layer(string weight, string intermediate, string before)
    {
        CommandRun diff = DiffToOriginal(new BentModel().Fill(weight, 1));

        Assert.Equal(Different, diff.ExitCode);
        Assert.Contains($"They part in {intermediate}", diff.Output, StringComparison.Ordinal);
        Assert.Contains("at position 0.", diff.Output, StringComparison.Ordinal);
        Assert.Contains($"before it       {before} agrees", diff.Output, StringComparison.Ordinal);
        Assert.Contains("the norm's weight: missing", diff.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Experts_in_another_order_show_behind_a_router_that_agrees()
    {
        var bent = new BentModel();
        foreach (string part in new[] { "gate", "up", "down" })
            bent.Swap($"blk.1.ffn_{part}_exps.weight", 0, 1).Swap($"blk.1.ffn_{part}_exps.weight", 2, 3);

        CommandRun diff = DiffToOriginal(bent);

        Assert.Equal(Different, diff.ExitCode);
        Assert.Contains("They part in blk.1.ffn_out, layer 1", diff.Output, StringComparison.Ordinal);
        Assert.Contains("before it       blk.1.router_logits agrees", diff.Output, StringComparison.Ordinal);
        Assert.Contains("the order of experts", diff.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_engine_agrees_with_the_reference()
    {
        string ours = Trace(BentModel.Original, "ours");
        string exact = Trace(BentModel.Original, "exact", "f64");

        CommandRun diff = CommandRun.Of("diff", ours, exact, "--tolerance", "1e-5", "--all").Succeeds();

        Assert.Contains("They agree in 17 tensors", diff.Output, StringComparison.Ordinal);
        Assert.Contains("blk.1.router_logits", diff.Output, StringComparison.Ordinal);
        Assert.Empty(diff.Errors);
    }

    [Fact]
    public void Files_of_logits_are_compared_row_by_row()
    {
        string ours = _folder.Write("ours", Floats(1, 2, 3, 4, 5, 6));
        string theirs = _folder.Write("theirs", Floats(1, 2, 3, 4, 5, 7));

        CommandRun diff = CommandRun.Of("diff", ours, theirs, "--vocab", "2");
        Assert.Equal(Different, diff.ExitCode);
        Assert.Contains("They part in logits, at position 2.", diff.Output, StringComparison.Ordinal);
        Assert.Contains("column 1: ours 6, theirs 7", diff.Output, StringComparison.Ordinal);

        CommandRun.Of("diff", ours, ours, "--vocab", "3").Succeeds();
        CommandRun.Of("diff", ours, theirs, "--vocab", "3", "--tolerance", "0.5").Succeeds();
    }

    [Fact]
    public void A_trace_or_a_model_tells_how_long_rows_of_logits_are()
    {
        string logits = _folder.File("logits");
        CommandRun.Of("logits", BentModel.Original, "--tokens", Tokens, "-o", logits, "--kv-type", "f32").Succeeds();

        CommandRun.Of("diff", Trace(BentModel.Original, "trace"), logits, "--tolerance", "0").Succeeds();
        CommandRun.Of("diff", logits, logits, "--model", BentModel.Original).Succeeds();
    }

    [Fact]
    public void Names_of_another_engine_may_be_mapped()
    {
        string ours = Trace(BentModel.Original, "ours");
        string theirs = _folder.Write("theirs", Renamed(File.ReadAllBytes(ours)));

        CommandRun diff = CommandRun.Of("diff", ours, theirs, "--map", "blk.*.attn_out=blk.*.mixed_by,embedding=embeddeds").Succeeds();

        Assert.Contains("They agree in 17 tensors", diff.Output, StringComparison.Ordinal);
        CommandRun plain = CommandRun.Of("diff", ours, theirs).Succeeds();
        Assert.Contains("only in ours: embedding, blk.0.attn_out, blk.1.attn_out", plain.Errors, StringComparison.Ordinal);

        static byte[] Renamed(byte[] file)
        {
            Replace(file, "attn_out", "mixed_by");
            Replace(file, "\"embedding\"", "\"embeddeds\"");
            return file;
        }
    }

    [Fact]
    public void What_cannot_be_compared_is_refused()
    {
        string trace = Trace(BentModel.Original, "trace");
        string logits = _folder.Write("logits", Floats(1, 2, 3));
        string other = _folder.File("other");
        CommandRun.Of("trace", BentModel.Original, "--tokens", "1,2", "-o", other).Succeeds();

        CommandRun.Of("diff", logits, logits).IsRefused("logits", "--vocab N");
        CommandRun.Of("diff", logits, logits, "--vocab", "2").IsRefused("12 bytes", "rows of 8");
        CommandRun.Of("diff", trace, logits, "--vocab", "3").IsRefused("'logits'", "[6, 320]", "[1, 3]");
        CommandRun.Of("diff", trace, other).IsRefused(Tokens, "1,2");
        CommandRun.Of("diff", trace, _folder.File("absent")).IsRefused("absent");
        CommandRun.Of("diff", trace, trace, "--map", "a*b=c").IsRefused("a*b=c", "OURS=THEIRS");
        CommandRun.Of("diff", trace, trace, "--tolerance", "-1").IsRefused("--tolerance");
        CommandRun.Of("diff", trace).IsRefused("THEIRS");
        byte[] cut = File.ReadAllBytes(trace)[..^8];
        CommandRun.Of("diff", trace, _folder.Write("cut", cut)).IsRefused("cut");
    }

    private CommandRun DiffToOriginal(BentModel bent, string precision = "f32") => CommandRun.Of(
        "diff",
        Trace(_folder.Write("bent.gguf", bent.Bytes), "bent.safetensors", precision),
        Trace(BentModel.Original, "original.safetensors", precision));

    private string Trace(string model, string name, string precision = "f32")
    {
        string path = _folder.File(name);
        CommandRun.Of("trace", model, "--tokens", Tokens, "--out", path, "--kv-type", "f32", "--precision", precision).Succeeds();
        return path;
    }

    private static byte[] Floats(params float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static void Replace(Span<byte> file, string from, string to)
    {
        byte[] text = System.Text.Encoding.ASCII.GetBytes(from);
        byte[] with = System.Text.Encoding.ASCII.GetBytes(to);
        Assert.Equal(text.Length, with.Length);
        for (int at = file.IndexOf(text); at >= 0; at = file.IndexOf(text))
            with.CopyTo(file[at..]);
    }
}
