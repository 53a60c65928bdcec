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
    [InlineData(ElementType.Q4_1)]
    [InlineData(ElementType.Q5_0)]
    [InlineData(ElementType.Q5_1)]
    [InlineData(ElementType.Q2_K)]
    [InlineData(ElementType.Q3_K)]
    [InlineData(ElementType.Q4_K)]
    [InlineData(ElementType.Q5_K)]
    [InlineData(ElementType.Q6_K)]
    [InlineData(ElementType.IQ4_NL)]
    [InlineData(ElementType.IQ4_XS)]
    [InlineData(ElementType.MXFP4)]
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

    [Theory]
    [InlineData(ElementType.F8_E4M3, 4, 3, 7)]
    [InlineData(ElementType.F8_E5M2, 5, 2, 15)]
    public void Every_8_bit_float_widens_exactly(ElementType type, int exponentBits, int mantissaBits, int bias)
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        using var source = Bytes.Of(all);
        float[] found = new float[all.Length];
        ElementFormat.Of(type).Dequantize(source.View, found);
        foreach (byte bits in all)
        {
            // By the definition of the formats, in float64, where all of it is exact.
            int exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
            int fraction = bits & ((1 << mantissaBits) - 1);
            bool isTop = exponent == (1 << exponentBits) - 1;
            bool isNaN = isTop && (type == ElementType.F8_E4M3 ? fraction == 7 : fraction != 0);
            double magnitude = isTop && type == ElementType.F8_E5M2
                ? double.PositiveInfinity
                : (fraction + (exponent == 0 ? 0 : 1 << mantissaBits)) * Math.Pow(2, Math.Max(exponent, 1) - bias - mantissaBits);
            double value = (bits & 0x80) != 0 ? -magnitude : magnitude;
            if (isNaN)
                Assert.True(float.IsNaN(found[bits]), $"{bits:X2}");
            else
                Assert.Equal(BitConverter.DoubleToInt64Bits(value), BitConverter.DoubleToInt64Bits(found[bits]));
        }

        Assert.Equal(type == ElementType.F8_E4M3 ? 448 : 57_344, found.Where(float.IsFinite).Max());
    }

    [Fact]
    public void Blocks_of_8_bit_floats_are_their_values_times_the_scale()
    {
        var random = new Random(3);
        byte[] rows = new byte[3 * 132];
        random.NextBytes(rows);
        float[] scales = [3.1f, -1e-39f, 1e30f];
        for (int block = 0; block < 3; block++)
            BitConverter.TryWriteBytes(rows.AsSpan(block * 132), scales[block]);
        using var source = Bytes.Of(rows);
        float[] found = new float[3 * 128];
        ElementFormat.Of(ElementType.F8_E4M3_B128).Dequantize(source.View, found);
        for (int i = 0; i < found.Length; i++)
        {
            float expected = F8_E4M3.Widen(rows[(i / 128 * 132) + 4 + (i % 128)]) * scales[i / 128];
            Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(found[i]));
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
