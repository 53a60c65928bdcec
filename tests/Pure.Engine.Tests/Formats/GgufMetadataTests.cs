using Pure.Engine.Formats.Gguf;
using Pure.Engine.Tests.Quantization;

namespace Pure.Engine.Tests.Formats;

/// <summary>Typed access to keys and values.</summary>
public class GgufMetadataTests
{
    [Fact]
    public void Integers_of_every_width_read_as_integers()
    {
        var metadata = Parse(new GgufBuilder()
            .Key("u8", byte.MaxValue).Key("i8", sbyte.MinValue).Key("u16", ushort.MaxValue).Key("i16", short.MinValue)
            .Key("u32", uint.MaxValue).Key("i32", int.MinValue).Key("u64", (ulong)long.MaxValue).Key("i64", long.MinValue));

        Assert.Equal(
            [255, -128, 65535, -32768, 4294967295, -2147483648, long.MaxValue, long.MinValue],
            metadata.Keys.Select(metadata.GetInteger));
        Assert.Equal(-128.0, metadata.GetNumber("i8"));
    }

    [Fact]
    public void Strings_numbers_and_booleans_read_as_such()
    {
        var metadata = Parse(new GgufBuilder()
            .Key("text", "π \U0001F600 and \0 a zero").Key("empty", "").Key("f32", 0.1f).Key("f64", 0.1).Key("yes", true).Key("no", false));

        Assert.Equal("π \U0001F600 and \0 a zero", metadata.GetString("text"));
        Assert.Equal("", metadata.FindString("empty"));
        Assert.Equal(0.1f, (float)metadata.GetNumber("f32"));
        Assert.Equal(0.1, metadata.GetNumber("f64"));
        Assert.True(metadata.GetBoolean("yes"));
        Assert.False(metadata.FindBoolean("no"));
    }

    [Fact]
    public void Arrays_of_every_kind_read_as_such()
    {
        var metadata = Parse(new GgufBuilder()
            .List("strings", "a", "", "ü")
            .List<ushort>("u16s", 1, 65535)
            .List("i32s", -1, 7)
            .List("f32s", 0.5f, float.NegativeInfinity)
            .List("f64s", 0.1)
            .List("booleans", true, false)
            .List<string>("none"));

        Assert.Equal(["a", "", "ü"], metadata.GetStrings("strings"));
        Assert.Equal([1, 65535], metadata.GetIntegers("u16s"));
        Assert.Equal([-1, 7], metadata.GetIntegers("i32s"));
        Assert.Equal([0.5f, float.NegativeInfinity], metadata.GetFloats("f32s"));
        Assert.Equal([0.1f], metadata.GetFloats("f64s"));
        Assert.Equal([true, false], metadata.GetBooleans("booleans"));
        Assert.Empty(metadata.GetStrings("none"));
        Assert.Null(metadata.FindStrings("missing"));
        Assert.Null(metadata.FindIntegers("missing"));
    }

    [Fact]
    public void Arrays_nest()
    {
        var metadata = Parse(new GgufBuilder().List<string[][]>("nested", [["a", "bc"], []], [], [["d"]]).Key("after", 1));

        var outer = metadata.GetArray("nested").ToArrays();
        Assert.Equal([2, 0, 1], outer.Select(array => array.Count));
        var first = outer[0].ToArrays();
        Assert.Equal(["a", "bc"], first[0].ToStrings());
        Assert.Empty(first[1].ToStrings());
        Assert.Equal(["d"], outer[2].ToArrays()[0].ToStrings());
        Assert.Equal(1, metadata.GetInteger("after"));
    }

    [Fact]
    public void Keys_keep_their_order_and_show_their_values()
    {
        var metadata = Parse(new GgufBuilder()
            .Key("z", 1u).Key("a", "text").List("m", 1, 2, 3, 4).Key("b", true).List("s", "x\n", "y")
            .List<float[]>("n", [0.5f], []).Key("big", ulong.MaxValue));

        Assert.Equal(["z", "a", "m", "b", "s", "n", "big"], metadata.Keys);
        Assert.Equal(
            ["1", "text", "[1, 2, 3, … 4 in all]", "True", @"['x\u000A', 'y']", "[[0.5], []]", "18446744073709551615"],
            metadata.Keys.Select(key => metadata[key].ToString()));
        Assert.Equal(GgufValueType.Array, metadata.TypeOf("m"));
        Assert.Null(metadata.TypeOf("missing"));
    }

    [Fact]
    public void A_missing_key_or_another_type_is_named()
    {
        var metadata = Parse(new GgufBuilder()
            .Key("text", "x").Key("number", 1.5f).List("list", 1).Key("big", ulong.MaxValue).List("bigs", ulong.MaxValue));

        Refusal.Of(() => metadata.GetInteger("absent"), "test.gguf", "'absent'", "missing", "an integer was expected");
        Refusal.Of(() => metadata.GetString("absent"), "'absent'", "missing", "a string was expected");
        Refusal.Of(() => metadata.GetNumber("absent"), "'absent'", "missing", "a number was expected");
        Refusal.Of(() => metadata.GetBoolean("absent"), "'absent'", "missing", "a boolean was expected");
        Refusal.Of(() => metadata.GetArray("absent"), "'absent'", "missing", "an array was expected");
        Refusal.Of(() => metadata["absent"], "'absent'", "missing");
        Refusal.Of(() => metadata.FindInteger("text"), "test.gguf", "'text'", "is a string", "an integer was expected");
        Refusal.Of(() => metadata.FindInteger("number"), "'number'", "is a number", "an integer was expected");
        Refusal.Of(() => metadata.FindNumber("list"), "'list'", "is an array", "a number was expected");
        Refusal.Of(() => metadata.FindString("number"), "'number'", "is a number", "a string was expected");
        Refusal.Of(() => metadata.GetStrings("list"), "'list'", "an array of integers", "an array of strings was expected");
        Refusal.Of(() => metadata.GetFloats("list"), "'list'", "an array of integers", "an array of numbers was expected");
        Refusal.Of(() => metadata.GetStrings("text"), "'text'", "is a string", "an array was expected");
        Refusal.Of(() => metadata.GetInteger("big"), "'big'", "18446744073709551615", "less than 2^63");
        Refusal.Of(() => metadata.GetIntegers("bigs"), "'bigs'", "18446744073709551615", "less than 2^63");
    }

    private static GgufMetadata Parse(GgufBuilder builder)
    {
        using var bytes = Bytes.Of(builder.Build());
        return GgufFile.Parse(bytes.View, "test.gguf").Metadata;
    }
}
