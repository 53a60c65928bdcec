using System.Buffers.Binary;

namespace Pure.Serve.Tests;

public class BadModelTests
{
    private const int HeaderTensorCount = 8;
    private const int HeaderKeyCount = 16;

    [Theory]
    [InlineData("run", "-p", "Once")]
    [InlineData("info")]
    [InlineData("tokenize", "-p", "Once")]
    [InlineData("logits", "--tokens", "1,2", "--out", "never-written")]
    [InlineData("trace", "--tokens", "1,2", "--out", "never-written")]
    public void Every_command_refuses_what_is_no_model(params string[] args)
    {
        using var folder = new TemporaryFolder();
        Refused(folder.File("none.gguf"), "no such file");
        Refused(folder.Root);
        Refused(folder.Write("empty", []), "empty");
        Refused(folder.Write("text", "Once upon a time there was a file."u8.ToArray()), "text", "GGUF");
        Refused(folder.Write("cut", EmbeddedModel.Bytes()[..40_000]), "cut");
        Refused(folder.Write("keys", WithCount(HeaderKeyCount)), "keys");
        Refused(folder.Write("tensors", WithCount(HeaderTensorCount)), "tensors");

        void Refused(string path, params string[] facts) =>
            CommandRun.Of([args[0], path, .. args[1..]]).IsRefused([Path.GetFileName(path), .. facts]);
    }

    [Fact]
    public void Weights_that_are_cut_off_or_named_wrongly_are_refused()
    {
        using var folder = new TemporaryFolder();
        Refused(folder.Write("data", EmbeddedModel.Bytes()[..^100_000]), "data");
        Refused(folder.Write("missing", EmbeddedModel.With("blk.3.attn_q_b.weight", "blk.3.attn_q_x.weight")), "blk.3.attn_q_b.weight");
        Refused(folder.Write("family", EmbeddedModel.With("deepseek2", "deepthink")), "deepthink", "llama", "deepseek2");

        static void Refused(string path, params string[] facts) => CommandRun.Of("run", path, "-p", "Once").IsRefused(facts);
    }

    [Fact]
    public void A_vocabulary_alone_writes_nothing()
    {
        string path = Shared.Path("goldens/tokenizer/bpe-gpt-2.gguf");
        CommandRun.Of("run", path, "-p", "Once").IsRefused("bpe-gpt-2.gguf");
        CommandRun.Of("logits", path, "--tokens", "1", "--out", "never-written").IsRefused("bpe-gpt-2.gguf");
    }

    [Fact]
    public void A_tokenizer_that_is_not_supported_is_named_but_ids_still_serve()
    {
        using var folder = new TemporaryFolder();
        const string Key = "tokenizer.ggml.pre\u0008\0\0\0\u0005\0\0\0\0\0\0\0"; // a string of 5 bytes
        string path = folder.Write("m", EmbeddedModel.With(Key + "gpt-2", Key + "xyz-9"));

        CommandRun.Of("run", path, "-p", "Once").IsRefused("xyz-9");
        CommandRun.Of("logits", path, "--tokens", "0,439", "--out", folder.File("l")).Succeeds();
        Assert.Equal(2 * 2048 * 4, new FileInfo(folder.File("l")).Length);
    }

    [Fact]
    public void The_embedded_model_is_found_by_name()
    {
        Assert.Contains("(embedded)", CommandRun.Of("info", "stories-moe").Succeeds().Output, StringComparison.Ordinal);
        Assert.Equal("0 439 448 274 411\n", CommandRun.Of("tokenize", "-p", "Once upon a time").Succeeds().Output);
    }

    private static byte[] WithCount(int offset)
    {
        byte[] bytes = EmbeddedModel.Bytes();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), 1UL << 63);
        return bytes;
    }
}
