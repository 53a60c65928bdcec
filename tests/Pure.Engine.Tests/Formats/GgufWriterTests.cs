using Pure.Engine.Formats.Gguf;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Formats;

/// <summary>What is written is read back.</summary>
public sealed class GgufWriterTests
{
    [Fact]
    public void Keys_and_tensors_are_read_back_as_they_were_written()
    {
        var keys = new GgufKeys()
            .Add("a.text", "Grüße")
            .Add("a.size", 7u)
            .Add("a.number", 0.5f)
            .Add("a.flag", true)
            .Add("a.texts", ["x", "", "ein Wort"])
            .Add("a.integers", [-1, 2])
            .Add("a.numbers", [1.5f, -2f]);
        byte[] first = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        byte[] second = [.. Enumerable.Range(0, 4 * 18).Select(value => (byte)value)];
        GgufContent[] tensors =
        [
            new("three.floats", ElementType.F32, [3], output => output.Write(first)),
            new("four.blocks", ElementType.Q4_0, [2, 64], output =>
            {
                output.Write(second, 0, 10);
                output.Write(second, 10, second.Length - 10);
            }),
        ];

        using GgufFile file = Open(new GgufWriter(keys, tensors));

        GgufMetadata read = file.Metadata;
        Assert.Equal(["a.text", "a.size", "a.number", "a.flag", "a.texts", "a.integers", "a.numbers"], read.Keys);
        Assert.Equal("Grüße", read.GetString("a.text"));
        Assert.Equal(7, read.GetInteger("a.size"));
        Assert.Equal(0.5, read.GetNumber("a.number"));
        Assert.True(read.GetBoolean("a.flag"));
        Assert.Equal(["x", "", "ein Wort"], read.GetStrings("a.texts"));
        Assert.Equal([-1, 2], read.GetIntegers("a.integers"));
        Assert.Equal([1.5f, -2f], read.GetFloats("a.numbers"));
        Assert.Equal([3L], file.Tensors[0].Shape);
        Assert.Equal(first, file.Tensors[0].Data.AsSpan(0, first.Length).ToArray());
        Assert.Equal([2L, 64L], file.Tensors[1].Shape);
        Assert.Equal(second, file.Tensors[1].Data.AsSpan(0, second.Length).ToArray());
    }

    [Fact]
    public void A_model_that_never_was_a_file_equals_the_file()
    {
        var writer = new GgufWriter(
            new GgufKeys().Add("k", 1u), [new GgufContent("t", ElementType.F32, [1, 2], output => output.Write([1, 2, 3, 4, 5, 6, 7, 8]))]);

        using GgufFile inMemory = GgufFile.Open(writer, "made");
        using GgufFile fromStream = Open(writer);

        Assert.Equal(fromStream.FileBytes, inMemory.FileBytes);
        Assert.Equal(1, inMemory.Metadata.GetInteger("k"));
        Assert.Equal(fromStream.Tensors[0].Data.AsSpan(0, 8).ToArray(), inMemory.Tensors[0].Data.AsSpan(0, 8).ToArray());
    }

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    public void A_tensor_that_writes_another_number_of_bytes_is_an_error(int bytes)
    {
        var writer = new GgufWriter(new GgufKeys(), [new GgufContent("t", ElementType.F32, [2], output => output.Write(new byte[bytes]))]);

        var error = Assert.Throws<InvalidOperationException>(() => writer.Write(Stream.Null));

        Assert.Contains($"'t' wrote {bytes} bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Types_that_the_format_does_not_have_are_refused() =>
        Assert.Throws<ArgumentException>(() => new GgufWriter(
            new GgufKeys(), [new GgufContent("t", ElementType.F8_E4M3, [2], _ => { })]));

    [Fact]
    public void A_key_stands_once() =>
        Assert.Throws<ArgumentException>(() => new GgufKeys().Add("k", 1u).Add("k", "two"));

    private static GgufFile Open(GgufWriter writer)
    {
        using var bytes = new MemoryStream();
        writer.Write(bytes);
        Assert.Equal(writer.Length, bytes.Length);
        bytes.Position = 0;
        return GgufFile.Open(bytes, "written");
    }
}
