using System.IO.Compression;
using Pure.Engine.Formats.Gguf;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Formats;

/// <summary>Real files.</summary>
public class GgufFileTests
{
    [Fact]
    public void A_model_opens_with_its_metadata_and_tensors()
    {
        using var file = GgufFile.Open(Shared.Path("models", "stories-moe", "stories-moe-q8_0.gguf"));

        Assert.Equal(3u, file.Version);
        Assert.Equal("deepseek2", file.Metadata.GetString("general.architecture"));
        Assert.Equal(512, file.Metadata.GetInteger("deepseek2.context_length"));
        long vocabulary = file.Metadata.GetArray("tokenizer.ggml.tokens").Count;
        Assert.Equal(vocabulary, file.Metadata.GetStrings("tokenizer.ggml.tokens").Length);

        Assert.True(file.TryGetTensor("token_embd.weight", out var embedding));
        Assert.Equal([vocabulary, file.Metadata.GetInteger("deepseek2.embedding_length")], embedding.Shape);
        Assert.Equal(ElementType.Q8_0, embedding.Type);
        Assert.Equal(embedding.Count / 32 * 34, embedding.Data.Length);
        Assert.False(file.TryGetTensor("no.such.tensor", out _));
    }

    [Fact]
    public void The_quantised_model_is_near_the_float_model()
    {
        using var exact = GgufFile.Open(Shared.Path("models", "stories-moe", "stories-moe-f32.gguf"));
        using var quantised = GgufFile.Open(Shared.Path("models", "stories-moe", "stories-moe-q8_0.gguf"));
        Assert.Equal(exact.Tensors.Select(t => t.Name).Order(), quantised.Tensors.Select(t => t.Name).Order());
        foreach (var tensor in exact.Tensors)
        {
            Assert.True(quantised.TryGetTensor(tensor.Name, out var other));
            Assert.Equal(tensor.Shape, other.Shape);
            float[] x = new float[tensor.Count], y = new float[tensor.Count];
            ElementFormat.Of(tensor.Type).Dequantize(tensor.Data, x);
            ElementFormat.Of(other.Type).Dequantize(other.Data, y);
            double error = x.Zip(y, (a, b) => Math.Pow((double)a - b, 2)).Sum();
            Assert.True(error <= 2e-4 * x.Sum(a => (double)a * a), $"{tensor.Name}: {error}");
        }
    }

    [Fact]
    public void Every_public_vocabulary_opens()
    {
        string[] paths = Directory.GetFiles(Shared.Path("data", "vocab"), "*.gguf");
        Assert.NotEmpty(paths);
        foreach (string path in paths)
        {
            using var file = GgufFile.Open(path);
            Assert.Empty(file.Tensors);
            Assert.Equal(
                file.Metadata.GetStrings("tokenizer.ggml.tokens").Length,
                file.Metadata.GetArray("tokenizer.ggml.token_type").Count);
        }
    }

    [Theory]
    [InlineData("self-deepseek-v3", 129280)]
    [InlineData("self-llama-bpe", 128256)]
    [InlineData("self-qwen3", 151936)]
    public void A_large_vocabulary_opens(string name, int tokens)
    {
        using var packed = new GZipStream(File.OpenRead(Shared.Path("data", "vocab", $"{name}.gguf.gz")), CompressionMode.Decompress);
        using var unpacked = new MemoryStream();
        packed.CopyTo(unpacked);
        using var bytes = Quantization.Bytes.Of(unpacked.ToArray());

        var metadata = GgufFile.Parse(bytes.View, name).Metadata;

        Assert.Equal(tokens, metadata.GetStrings("tokenizer.ggml.tokens").Length);
    }

    [Fact]
    public void Every_golden_model_opens_or_names_the_type_it_needs()
    {
        foreach (string path in Directory.GetFiles(Shared.Path("goldens", "models"), "*.gguf"))
        {
            if (path.Contains("-shard-0000", StringComparison.Ordinal))
                continue;
            try
            {
                using var file = GgufFile.Open(path);
                Assert.NotEmpty(file.Tensors);
            }
            catch (ModelFormatException refusal)
            {
                Assert.Matches("element type [0-9]+ \\((Q[0-9]|IQ|MXFP4)", refusal.Message);
                Assert.Matches("(IQ4_XS|Q2_K|MXFP4_MOE|_M|gpt-oss)\\.gguf", refusal.Message);
            }
        }
    }
}
