using Pure.Engine.Formats;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Quantization;

public class QuantizeTests
{
    private const int BlockSize = 32;

    /// <summary>The quantised files hold the weights of the F32 one, stored by another quantiser: ours agrees to the byte.</summary>
    [Theory]
    [InlineData("llama-q256", ElementType.Q8_0)]
    [InlineData("llama-q256", ElementType.Q4_0)]
    [InlineData("qwen3moe-q256", ElementType.Q8_0)]
    [InlineData("qwen3moe-q256", ElementType.Q4_0)]
    public void Blocks_are_those_of_the_other_engine(string model, ElementType type)
    {
        using ModelFile floats = ModelFile.Open(Shared.Path("goldens", "models", $"{model}-F32.gguf"));
        using ModelFile blocks = ModelFile.Open(Shared.Path("goldens", "models", $"{model}-{type}.gguf"));
        int compared = 0;
        foreach (Tensor tensor in blocks.Tensors.Where(tensor => tensor.Type == type))
        {
            Assert.True(floats.TryGetTensor(tensor.Name, out Tensor? original));
            var elements = new float[original.Data.Length / sizeof(float)];
            ElementFormat.Of(ElementType.F32).Dequantize(original.Data, elements);
            var found = new byte[tensor.Data.Length];
            ElementFormat.Of(type).Quantize(elements, found);
            Assert.Equal(tensor.Data.AsSpan(0, found.Length), found);
            compared++;
        }

        Assert.True(compared > 5, $"{compared} tensors were compared");
    }

    [Fact]
    public void Halves_of_a_bfloat16_go_to_even_and_a_NaN_stays_one()
    {
        foreach ((uint bits, int expected) in new (uint, int)[]
        {
            (0x3F80_7FFF, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F80_8001, 0x3F81), (0x3F81_8000, 0x3F82), (0xBF81_8000, 0xBF82),
            (0x7F7F_FFFF, 0x7F80), (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80), (0x0000_8000, 0), (0x0001_8000, 2), (0x8000_0000, 0x8000),
        })
        {
            Assert.Equal(expected, BF16.Narrow(BitConverter.UInt32BitsToSingle(bits)));
        }

        foreach (uint bits in new uint[] { 0x7F80_0001, 0x7FFF_FFFF, 0xFFC0_0000 })
            Assert.True(float.IsNaN(BF16.Widen(BF16.Narrow(BitConverter.UInt32BitsToSingle(bits)))));
    }

    [Theory]
    [InlineData(ElementType.Q8_0, 127)]
    [InlineData(ElementType.Q4_0, 8)]
    public void An_element_is_off_by_half_a_step_at_most(ElementType type, int codes)
    {
        var random = new Random(3);
        for (int round = 0; round < 300; round++)
        {
            float[] x = new float[BlockSize];
            for (int i = 0; i < BlockSize; i++)
                x[i] = MathF.ScaleB((random.NextSingle() * 2) - 1, random.Next(-6, 3) + (round % 12));
            float[] found = Through(type, x);
            double largest = x.Max(MathF.Abs);

            // Half a step; a whole one where four bits have no code opposite to the largest; the scale is rounded to 11 bits.
            double bound = (largest / codes * (type == ElementType.Q4_0 ? 1 : 0.5)) + (largest * Math.Pow(2, -11)) + 1e-6;
            for (int i = 0; i < BlockSize; i++)
                Assert.InRange(Math.Abs(x[i] - found[i]), 0, bound);
        }
    }

    [Fact]
    public void Halves_of_eight_bits_go_away_from_zero()
    {
        // The largest element makes the scale exactly 1.
        float[] x = [127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, -126.5f, .. new float[24]];
        Assert.Equal([127f, 1, 2, 3, -1, -2, -3, -127, .. new float[24]], Through(ElementType.Q8_0, x));
    }

    [Fact]
    public void Four_bits_reach_from_the_largest_to_seven_eighths_of_its_opposite()
    {
        float[] x = [-8, 8, 7, 0.49f, -7.5f, -7.51f, 0.5f, -0.51f, .. new float[24]];
        Assert.Equal([-8f, 7, 7, 0, -7, -8, 1, -1, .. new float[24]], Through(ElementType.Q4_0, x));
    }

    [Theory]
    [InlineData(ElementType.Q8_0)]
    [InlineData(ElementType.Q4_0)]
    public void What_is_not_finite_shows_in_its_whole_block_and_what_is_tiny_becomes_zero(ElementType type)
    {
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue })
        {
            float[] x = [.. Enumerable.Repeat(1f, 3 * BlockSize)];
            x[BlockSize + 7] = bad;
            float[] found = Through(type, x);
            Assert.All(found[BlockSize..(2 * BlockSize)], value => Assert.True(float.IsNaN(value)));
            Assert.All(found[..BlockSize].Concat(found[(2 * BlockSize)..]), value => Assert.InRange(value, 0.8, 1.2));
        }

        foreach (float tiny in new[] { 0f, -0f, float.Epsilon, -1e-30f, 1e-9f })
            Assert.All(Through(type, [tiny, .. new float[BlockSize - 1]]), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Lengths_that_do_not_fit_and_types_that_are_only_read_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ElementFormat.Of(ElementType.Q8_0).Quantize(new float[31], new byte[34]));
        Assert.Throws<ArgumentException>(() => ElementFormat.Of(ElementType.Q8_0).Quantize(new float[32], new byte[33]));
        Assert.Throws<NotSupportedException>(() => ElementFormat.Of(ElementType.Q4_K).Quantize(new float[256], new byte[144]));
    }

    private static float[] Through(ElementType type, float[] x)
    {
        ElementFormat format = ElementFormat.Of(type);
        var bytes = new byte[format.RowBytes(x.Length)];
        format.Quantize(x, bytes);
        using var stored = Bytes.Of(bytes);
        var found = new float[x.Length];
        format.Dequantize(stored.View, found);
        return found;
    }
}
