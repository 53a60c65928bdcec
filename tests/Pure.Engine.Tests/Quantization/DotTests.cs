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
    public void Q4_1_is_near_float64() => IsNearFloat64<Q4_1>(stepsPer32: 2);

    [Fact]
    public void Q5_0_is_near_float64() => IsNearFloat64<Q5_0>(stepsPer32: 1);

    [Fact]
    public void Q5_1_is_near_float64() => IsNearFloat64<Q5_1>(stepsPer32: 2);

    [Fact]
    public void IQ4_NL_is_near_float64() => IsNearFloat64<IQ4_NL>(stepsPer32: 1);

    [Fact]
    public void MXFP4_is_near_float64() => IsNearFloat64<MXFP4>(stepsPer32: 1);

    [Fact]
    public void Q2_K_is_near_float64() => IsNearFloat64<Q2_K>(stepsPer32: 2);

    [Fact]
    public void Q3_K_is_near_float64() => IsNearFloat64<Q3_K>(stepsPer32: 1);

    [Fact]
    public void Q4_K_is_near_float64() => IsNearFloat64<Q4_K>(stepsPer32: 2);

    [Fact]
    public void Q5_K_is_near_float64() => IsNearFloat64<Q5_K>(stepsPer32: 2);

    [Fact]
    public void Q6_K_is_near_float64() => IsNearFloat64<Q6_K>(stepsPer32: 1);

    [Fact]
    public void IQ4_XS_is_near_float64() => IsNearFloat64<IQ4_XS>(stepsPer32: 1);

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

        byte[] q41 = [.. Enumerable.Repeat<byte[]>([.. one, .. one, .. Enumerable.Repeat((byte)0xFF, 16)], 8).SelectMany(b => b)];
        Assert.Equal(256 * 127 * (15 + 1), most.Dot<Q4_1>(q41));

        byte[] q50 = [.. Enumerable.Repeat<byte[]>([.. one, .. new byte[20]], 8).SelectMany(b => b)];
        Assert.Equal(256 * 127 * -16, most.Dot<Q5_0>(q50));

        byte[] q51 = [.. Enumerable.Repeat<byte[]>([.. one, .. one, .. Enumerable.Repeat((byte)0xFF, 20)], 8).SelectMany(b => b)];
        Assert.Equal(256 * 127 * (31 + 1), most.Dot<Q5_1>(q51));

        byte[] iq4nl = [.. Enumerable.Repeat<byte[]>([.. one, .. new byte[16]], 8).SelectMany(b => b)];
        Assert.Equal(256 * 127 * -127, most.Dot<IQ4_NL>(iq4nl));

        byte[] mxfp4 = [.. Enumerable.Repeat<byte[]>([128, .. Enumerable.Repeat((byte)0xFF, 16)], 8).SelectMany(b => b)];
        Assert.Equal(256 * 127 * -12, most.Dot<MXFP4>(mxfp4));

        // Scales and minima of 15, quants of 3.
        byte[] q2k = [.. Enumerable.Repeat((byte)0xFF, 16 + 64), .. one, .. one];
        Assert.Equal(256 * 127 * ((15 * 3) - 15), most.Dot<Q2_K>(q2k));

        // Scales of -32, quants of -4.
        byte[] q3k = [.. new byte[108], .. one];
        Assert.Equal(256 * 127 * 32 * 4, most.Dot<Q3_K>(q3k));

        // Scales and minima of 63, quants of 31.
        byte[] q5k = [.. one, .. one, .. Enumerable.Repeat((byte)0xFF, 12 + 32 + 128)];
        Assert.Equal(256 * 127 * ((63 * 31) - 63), most.Dot<Q5_K>(q5k));

        // Scales of -32, values of -127.
        byte[] iq4xs = [.. one, .. new byte[6 + 128]];
        Assert.Equal(256 * 127 * 32 * 127, most.Dot<IQ4_XS>(iq4xs));

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
        Assert.True(float.IsNaN(row.Dot<Q4_1>(new byte[8 * 20])));
        Assert.True(float.IsNaN(row.Dot<Q5_0>(new byte[8 * 22])));
        Assert.True(float.IsNaN(row.Dot<Q5_1>(new byte[8 * 24])));
        Assert.True(float.IsNaN(row.Dot<IQ4_NL>(new byte[8 * 18])));
        Assert.True(float.IsNaN(row.Dot<MXFP4>(new byte[8 * 17])));
        Assert.True(float.IsNaN(row.Dot<Q2_K>(new byte[84])));
        Assert.True(float.IsNaN(row.Dot<Q3_K>(new byte[110])));
        Assert.True(float.IsNaN(row.Dot<Q4_K>(new byte[144])));
        Assert.True(float.IsNaN(row.Dot<Q5_K>(new byte[176])));
        Assert.True(float.IsNaN(row.Dot<Q6_K>(new byte[210])));
        Assert.True(float.IsNaN(row.Dot<IQ4_XS>(new byte[136])));
    }

    /// <summary>The bits were also found with exact rational arithmetic, rounded where the definitions say so.</summary>
    [Fact]
    public void The_definitions_have_not_changed()
    {
        Assert.Equal("442135B2", Pin<Q8_0>());
        Assert.Equal("C2C8C53A", Pin<Q4_0>());
        Assert.Equal("42B051BC", Pin<Q4_1>());
        Assert.Equal("C2B650BE", Pin<Q5_0>());
        Assert.Equal("43827BC5", Pin<Q5_1>());
        Assert.Equal("C4B27AFB", Pin<IQ4_NL>());
        Assert.Equal("42BEA459", Pin<MXFP4>());
        Assert.Equal("C2E57AF1", Pin<Q2_K>());
        Assert.Equal("C425F4ED", Pin<Q3_K>());
        Assert.Equal("44226B85", Pin<Q4_K>());
        Assert.Equal("C547DFA0", Pin<Q5_K>());
        Assert.Equal("45B1BF99", Pin<Q6_K>());
        Assert.Equal("C606AA8C", Pin<IQ4_XS>());
    }

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

    private static string Pin<T>()
        where T : IQuantizedFormat
    {
        const int Columns = 2048;
        byte[] row = RandomRow<T>(new Random(1), Columns);
        uint bits = BitConverter.SingleToUInt32Bits(new Q8Row(RandomActivations(new Random(2), Columns)).Dot<T>(row));
        return bits.ToString("X8", null);
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
            if (T.Type == ElementType.MXFP4)
                row[block] = (byte)random.Next(117, 129);
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
        for (int block = 0; (T.Type is ElementType.Q4_K or ElementType.Q5_K or ElementType.Q2_K) && block < row.Length; block += T.BlockBytes)
            turned[block + ScalesAt(T.Type)[1] + 1] ^= 0x80;

        return turned;
    }

    private static int[] ScalesAt(ElementType type) => type switch
    {
        ElementType.MXFP4 => [],
        ElementType.Q4_1 or ElementType.Q5_1 or ElementType.Q4_K or ElementType.Q5_K => [0, 2],
        ElementType.Q2_K => [80, 82],
        ElementType.Q3_K => [108],
        ElementType.Q6_K => [208],
        _ => [0],
    };
}
