using Pure.Engine.Formats.Gguf;

namespace Pure.Engine.Tests.Formats;

public sealed class GgufStreamTests
{
    private static readonly string DefaultModel =
        Path.Combine(Repository.Root, "chat", "Models", "stories-moe", "stories-moe-q8_0.gguf");

    [Fact]
    public void A_stream_reads_as_the_file_does_from_where_it_stands()
    {
        using var stream = new MemoryStream([1, 2, 3, .. File.ReadAllBytes(DefaultModel)]);
        stream.Position = 3;
        using var read = GgufFile.Open(stream, "a resource");
        using var mapped = GgufFile.Open(DefaultModel);
        Assert.Equal(mapped.FileBytes, read.FileBytes);
        Assert.Equal(mapped.Metadata.Keys, read.Metadata.Keys);
        Assert.Equal(mapped.Tensors.Select(t => t.Name), read.Tensors.Select(t => t.Name));
        foreach (var (expected, tensor) in mapped.Tensors.Zip(read.Tensors))
        {
            Assert.True(expected.Data.AsSpan(0, (int)expected.Data.Length).SequenceEqual(tensor.Data.AsSpan(0, (int)tensor.Data.Length)));
            Assert.Equal("a resource", tensor.File);
        }
    }

    [Fact]
    public void A_stream_that_is_no_model_is_refused_by_its_name()
    {
        byte[] cut = File.ReadAllBytes(DefaultModel)[..5000];
        Assert.StartsWith("a resource: ", Assert.Throws<ModelFormatException>(() => GgufFile.Open(new MemoryStream(cut), "a resource")).Message, StringComparison.Ordinal);
        Assert.Throws<ModelFormatException>(() => GgufFile.Open(new MemoryStream(), "a resource"));
    }
}
