using System.Buffers.Binary;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Quantization;

/// <summary>
/// The scalar products of quantised rows, which are definitions: against float64 arithmetic on what weights and activations stand
/// for, and pinned, so that no change of order passes unseen.
/// </summary>
public class DotTests
{
    /// <summary>Half a unit in the last place of a float, relative.</summary>
    private const double Rounding = 1.0 / (1 << 24);

    [Fact]
    public void Q8_0_is_near_float64() => IsNearFloat64<Q8_0>(stepsPer32: 1);

    [Fact]
    public void Q4_0_is_near_float64() => IsNearFloat64<Q4_0>(stepsPer32: 1);

    [Fact]
    public void Q4_K_is_near_float64() => IsNearFloat64<Q4_K>(stepsPer32: 2);

    [Fact]
    public void Q6_K_is_near_float64() => IsNearFloat64<Q6_K>(stepsPer32: 1);

    [Fact]
    public void Integer_sums_are_exact_at_their_extremes()
    {
        // d = dx = 1 (amax is 127), every product at its largest: nothing may round.
        var most = new Q8Row([.. Enumerable.Repeat(127f, 256)]);
        byte[] one = [0, 0x3C];

        byte[] q8 = [.. Enumerable.Repeat<byte[]>([.. one, .. Enumerable.Repeat((byte)0x80, 32)], 8).SelectMany(b => b)];
        Assert.Equal(256 * -128 * 127, most.Dot<Q8_0>(q8));

        byte[] q4 = [.. Enumerable.Repeat<byte[]>([.. one, .. new byte[16]], 8).SelectMany(b => b)];
        Assert.Equal(256 * -8 * 127, most.Dot<Q4_0>(q4));

        // Scales and minima of 63, quants of 15.
        byte[] q4k = [.. one, .. one, .. Enumerable.Repeat((byte)0xFF, 12 + 128)];
        Assert.Equal(256 * 127 * ((63 * 15) - 63), most.Dot<Q4_K>(q4k));

        // Quants of -32, scales of -128: each 32 elements sum to 16,646,144, just below 2^24.
        byte[] q6k = [.. new byte[192], .. Enumerable.Repeat((byte)0x80, 16), .. one];
        Assert.Equal(256 * 127 * 32 * 128, most.Dot<Q6_K>(q6k));
    }

    [Fact]
    public void A_NaN_among_the_activations_shows()
    {
        float[] x = new float[256];
        x[200] = float.NaN;
        var row = new Q8Row(x);
        Assert.True(float.IsNaN(row.Dot<Q8_0>(new byte[8 * 34])));
        Assert.True(float.IsNaN(row.Dot<Q4_0>(new byte[8 * 18])));
        Assert.True(float.IsNaN(row.Dot<Q4_K>(new byte[144])));
        Assert.True(float.IsNaN(row.Dot<Q6_K>(new byte[210])));
    }

    /// <summary>The bits were also found with exact rational arithmetic, rounded where the definitions say so.</summary>
    [Fact]
    public void The_definitions_have_not_changed() => Assert.Equal(
        "442135B2 C2C8C53A 44226B85 45B1BF99",
        string.Join(" ", new[] { Pin<Q8_0>(), Pin<Q4_0>(), Pin<Q4_K>(), Pin<Q6_K>() }.Select(bits => bits.ToString("X8", null))));

    private static void IsNearFloat64<T>(int stepsPer32)
        where T : IQuantizedFormat
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            int columns = T.BlockSize * random.Next(1, 9);
            byte[] row = RandomRow<T>(random, columns);
            var x = new Q8Row(RandomActivations(random, columns));
            float[] w = Dequantize<T>(row, columns);

            // What is added before a minimum is taken off may be larger than what is left.
            float[] size = Dequantize<T>(WithoutCancellation<T>(row), columns);
            double exact = 0, sizes = 0;
            for (int i = 0; i < columns; i++)
            {
                exact += w[i] * x[i];
                sizes += Math.Abs(size[i] * x[i]);
            }

            // Each step rounds the running sum once and its own term twice; dequantising rounded thrice.
            double bound = ((stepsPer32 * columns / 32) + 5) * Rounding * sizes;
            double error = Math.Abs(x.Dot<T>(row) - exact);
            Assert.True(error <= bound, $"seed {seed}: off by {error}, bound {bound}");
        }
    }

    private static uint Pin<T>()
        where T : IQuantizedFormat
    {
        const int Columns = 2048;
        byte[] row = RandomRow<T>(new Random(1), Columns);
        return BitConverter.SingleToUInt32Bits(new Q8Row(RandomActivations(new Random(2), Columns)).Dot<T>(row));
    }

    private static unsafe float[] Dequantize<T>(byte[] row, int columns)
        where T : IElementFormat
    {
        float[] values = new float[columns];
        fixed (byte* source = row)
        fixed (float* destination = values)
            T.Dequantize(source, destination, columns);
        return values;
    }

    private static float[] RandomActivations(Random random, int columns)
    {
        float[] x = new float[columns];
        for (int i = 0; i < columns; i++)
            x[i] = ((random.NextSingle() * 2) - 1) * (random.Next(32) == 0 ? 8 : 1);
        return x;
    }

    /// <summary>Random blocks whose half-precision scales lie between 2^-10 and 1: neither denormal nor infinite.</summary>
    private static byte[] RandomRow<T>(Random random, int columns)
        where T : IElementFormat
    {
        byte[] row = new byte[columns / T.BlockSize * T.BlockBytes];
        random.NextBytes(row);
        for (int block = 0; block < row.Length; block += T.BlockBytes)
        {
            foreach (int at in ScalesAt(T.Type))
            {
                var scale = (Half)MathF.ScaleB(1 + random.NextSingle(), random.Next(-10, 0));
                BinaryPrimitives.WriteHalfLittleEndian(row.AsSpan(block + at), scale);
            }
        }

        return row;
    }

    /// <summary>The row with the sign of the minima's scale turned, so that minima add to the size of what they were taken from.</summary>
    private static byte[] WithoutCancellation<T>(byte[] row)
        where T : IElementFormat
    {
        byte[] turned = [.. row];
        if (T.Type == ElementType.Q4_K)
        {
            for (int block = 0; block < row.Length; block += T.BlockBytes)
                turned[block + 3] ^= 0x80;
        }

        return turned;
    }

    private static int[] ScalesAt(ElementType type) => type switch
    {
        ElementType.Q4_K => [0, 2],
        ElementType.Q6_K => [208],
        _ => [0],
    };
}
