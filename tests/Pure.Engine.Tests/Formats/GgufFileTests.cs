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
}
