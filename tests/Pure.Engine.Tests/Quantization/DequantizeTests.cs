using System.Runtime.InteropServices;
using System.Text.Json;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Quantization;

/// <summary>
/// Against tables that ggml and an independent numpy decoder agree on (goldens/dequant): blocks made by a quantiser, and random
/// bytes, which reach every scale and quant, denormals among them.
/// </summary>
public class DequantizeTests
{
    [Theory]
    [InlineData(ElementType.F16)]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.Q8_0)]
    [InlineData(ElementType.Q4_0)]
    [InlineData(ElementType.Q4_K)]
    [InlineData(ElementType.Q6_K)]
    public void Dequantised_blocks_equal_the_reference_to_the_bit(ElementType type)
    {
        string path = Path.Combine(Repository.Root, "tests", "Pure.Engine.Tests", "goldens", "dequant", $"{type}.json");
        using var golden = JsonDocument.Parse(File.ReadAllBytes(path));
        var format = ElementFormat.Of(type);
        Assert.Equal(golden.RootElement.GetProperty("ggml_type_id").GetInt32(), (int)type);
        Assert.Equal(golden.RootElement.GetProperty("block_size").GetInt32(), format.BlockSize);
        Assert.Equal(golden.RootElement.GetProperty("block_bytes").GetInt32(), format.BlockBytes);

        var cases = golden.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        Assert.Equal(["quantised", "random"], cases.Select(c => c.GetProperty("kind").GetString()!));
        foreach (var c in cases)
        {
            uint[] expected = [.. MemoryMarshal.Cast<byte, uint>(Convert.FromHexString(c.GetProperty("expect_f32_hex").GetString()!))];
            using var blocks = Bytes.Of(Convert.FromHexString(c.GetProperty("bytes_hex").GetString()!));
            Assert.Equal(blocks.Length, format.RowBytes(expected.Length));

            float[] found = new float[expected.Length];
            format.Dequantize(blocks.View, found);

            Assert.Equal(expected, MemoryMarshal.Cast<float, uint>(found).ToArray());
        }
    }

    [Fact]
    public void F32_is_copied_bit_by_bit()
    {
        uint[] bits = [0, 0x8000_0000, 1, 0x007F_FFFF, 0x3F80_0000, 0x7F80_0000, 0xFF80_0000, 0x7F80_0001, 0x7FC1_2345, 0xFFFF_FFFF];
        using var source = Bytes.Of(MemoryMarshal.AsBytes(bits));
        float[] found = new float[bits.Length];
        ElementFormat.Of(ElementType.F32).Dequantize(source.View, found);
        Assert.Equal(bits, MemoryMarshal.Cast<float, uint>(found).ToArray());
    }

    [Fact]
    public void Every_half_widens_exactly()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            float found = F16.Widen((ushort)bits);
            if (Half.IsNaN(BitConverter.UInt16BitsToHalf((ushort)bits)))
            {
                uint expected = ((uint)(bits & 0x8000) << 16) | 0x7F80_0000 | ((uint)(bits & 0x3FF) << 13);
                Assert.Equal(expected, BitConverter.SingleToUInt32Bits(found));
                continue;
            }

            // By the definition of the format, in float64, where all of it is exact.
            int exponent = (bits >> 10) & 31;
            double mantissa = (bits & 0x3FF) + (exponent == 0 ? 0 : 0x400);
            double magnitude = exponent == 31 ? double.PositiveInfinity : mantissa * Math.Pow(2, Math.Max(exponent, 1) - 25);
            double value = (bits & 0x8000) != 0 ? -magnitude : magnitude;
            Assert.Equal(BitConverter.DoubleToInt64Bits(value), BitConverter.DoubleToInt64Bits(found));
        }
    }

    [Fact]
    public void Rows_that_are_no_whole_number_of_blocks_are_refused()
    {
        var format = ElementFormat.Of(ElementType.Q4_K);
        Assert.Equal(144 * 3, format.RowBytes(256 * 3));
        Assert.Throws<ArgumentException>(() => format.RowBytes(255));
        Assert.Throws<ArgumentException>(() => format.RowBytes(-256));
        Assert.Throws<OverflowException>(() => ElementFormat.Of(ElementType.F32).RowBytes(long.MaxValue));

        using var one = Bytes.Of(new byte[144]);
        Assert.Throws<ArgumentException>(() => format.Dequantize(one.View, new float[512]));
    }

    [Fact]
    public void Every_element_type_has_a_format()
    {
        foreach (var type in Enum.GetValues<ElementType>())
            Assert.Equal(type.ToString(), ElementFormat.Of(type).Name);
    }
}
