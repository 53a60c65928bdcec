using Pure.Engine.Formats.Safetensors;

namespace Pure.Engine.Tests.Formats.Safetensors;

public class SafetensorsFileTests
{
    [Fact]
    public void Tensors_lie_where_the_header_says()
    {
        byte[] bytes = new SafetensorsBuilder { More = ",\"__metadata__\":{\"format\":\"pt\"}  " }
            .Tensor("a", "F32", [2, 1], [1, 2, 3, 4, 5, 6, 7, 8])
            .Tensor("none", "I64", [0, 3], [])
            .Tensor("b", "U8", [], [9])
            .Build();
        using var memory = Quantization.Bytes.Of(bytes);
        using var file = SafetensorsFile.Parse(memory.View, "test.safetensors");
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(["a", "none", "b"], file.Tensors.Select(tensor => tensor.Name));
        Assert.True(file.TryGetTensor("a", out var a));
        Assert.Equal([2L, 1L], a.Shape);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], a.Data.AsSpan(0, 8).ToArray());
        Assert.True(file.TryGetTensor("b", out var b));
        Assert.Equal(9, b.Data.AsSpan(0, 1)[0]);
        Assert.Equal(bytes.Length, file.FileBytes);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "'a'", "12 bytes", "[0, 8]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "'a'", "byte 4", "expected 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "'a'", "[8, 0]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "'a'", "ends at byte 16", "which has 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "end at byte 4", "has 8")]
    [InlineData("""{"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""", "'b'", "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""", "'a'", "twice")]
    [InlineData("""{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}""", "'F31'", "not supported", "BF16")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "'a'", "shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,8]}}""", "'a'", "shape")]
    [InlineData("""{"a":{"dtype":"F64","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,8]}}""", "2^63 bytes or more")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}""", "'a'", "2^63 - 1")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}""", "'a'", "up to 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", "'a'", "lacks", "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", "'a'", "shape twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}""", "'a'", "'more'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}}""", "JSON")]
    [InlineData("""{"a":null}""", "'a'")]
    [InlineData("""[1]""", "the header")]
    [InlineData("""{"a":""", "JSON")]
    [InlineData("""{} x""", "JSON")]
    [InlineData("""{"__metadata__":{"a":1}}""", "__metadata__")]
    public void Headers_that_contradict_themselves_or_the_file_are_refused(string header, params string[] facts) =>
        Refuse(SafetensorsBuilder.Of(header, new byte[8]), facts);

    [Fact]
    public void A_header_longer_than_the_file_is_refused() =>
        Refuse([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, (byte)'{', (byte)'}'], "18446744073709551615 bytes", "2 follow");

    [Fact]
    public void A_file_shorter_than_its_length_is_refused() => Refuse([1, 2, 3], "3 bytes");

    [Fact]
    public void A_million_deep_header_is_refused() =>
        Refuse(SafetensorsBuilder.Of("{\"a\":{\"shape\":" + new string('[', 1_000_000), new byte[8]), "JSON");

    private static void Refuse(byte[] bytes, params string[] facts)
    {
        using var memory = Quantization.Bytes.Of(bytes);
        Refusal.Of(() => SafetensorsFile.Parse(memory.View, "test.safetensors"), ["test.safetensors", .. facts]);
    }
}
