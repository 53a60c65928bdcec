using System.Numerics;
using Pure.Engine.Kernels;

namespace Pure.Engine.Tests.Kernels;

/// <summary>
/// The elementary functions against the framework's double precision (whose own error is below 1 ulp of a double), and the double
/// precision ones against identities and against the framework.
/// </summary>
public sealed class ElementaryTests
{
    /// <summary>A quarter ulp from r, a quarter from the inner sum, half from the last rounding, 0.07 from the polynomial.</summary>
    private const double ExpBound = 1.07;

    [Fact]
    public void Exp_keeps_its_bound_over_all_floats()
    {
        double worst = 0;
        float at = 0;
        for (long bits = 0; bits <= uint.MaxValue; bits += 997)
        {
            float x = BitConverter.UInt32BitsToSingle((uint)bits);
            float y = Elementary.Exp(x);
            double exact = Math.Exp((double)x);
            if (float.IsNaN(x))
            {
                Assert.True(float.IsNaN(y));
            }
            else if (exact > float.MaxValue * (1 + (1.0 / (1 << 25))))
            {
                Assert.Equal(float.PositiveInfinity, y);
            }
            else if (float.IsFinite(y))
            {
                double error = Math.Abs(y - exact) / UlpOfFloat(exact);
                if (error > worst)
                    (worst, at) = (error, x);
            }
        }

        Assert.True(worst <= ExpBound, $"{worst} ulp at {at:R}");
    }

    [Fact]
    public void Exp_keeps_its_bound_on_a_fine_grid()
    {
        double worst = 0;
        for (int i = -4_000_000; i <= 3_400_000; i++)
        {
            float x = i / 40_000f;
            double exact = Math.Exp((double)x);
            worst = Math.Max(worst, Math.Abs(Elementary.Exp(x) - exact) / UlpOfFloat(exact));
        }

        Assert.True(worst <= ExpBound, $"{worst} ulp");
    }

    [Fact]
    public void Exp_ends_in_zero_and_infinity()
    {
        Assert.Equal(0f, Elementary.Exp(float.NegativeInfinity));
        Assert.Equal(0f, Elementary.Exp(-104f));
        Assert.Equal(float.Epsilon, Elementary.Exp(-103.2f));
        Assert.Equal(1f, Elementary.Exp(0f));
        Assert.Equal(1f, Elementary.Exp(-0f));
        Assert.Equal(float.PositiveInfinity, Elementary.Exp(88.73f));
        Assert.Equal(float.PositiveInfinity, Elementary.Exp(float.PositiveInfinity));
        Assert.True(float.IsFinite(Elementary.Exp(88.72f)));
    }

    [Fact]
    public void Sigmoid_and_silu_are_finite_and_right_for_every_finite_float()
    {
        for (long bits = 0; bits <= uint.MaxValue; bits += 10_007)
        {
            float x = BitConverter.UInt32BitsToSingle((uint)bits);
            if (!float.IsFinite(x))
                continue;
            float sigmoid = Elementary.Sigmoid(x);
            float silu = Elementary.Silu(x);
            Assert.True(float.IsFinite(silu) && sigmoid is >= 0 and <= 1);

            // The relative error of e^-x counts in full below zero; 1 + e^-x overflows under -88.7, where the true value is below
            // the least normal float anyway.
            double exact = 1 / (1 + Math.Exp(-(double)x));
            Assert.True(Math.Abs(sigmoid - exact) <= (3 * UlpOfFloat(exact)) + 1.2e-38, $"sigmoid({x:R})");
            Assert.True(Math.Abs(silu - (x * exact)) <= (3 * UlpOfFloat(x * exact)) + 1.1e-36, $"silu({x:R})");
        }
    }

    [Fact]
    public void Double_exp_is_within_one_ulp()
    {
        var random = new Random(1);
        double worst = 0;
        for (int i = 0; i < 2_000_000; i++)
        {
            double x = i % 2 == 0 ? (random.NextDouble() - 0.5) * 1416 : (random.NextDouble() - 0.5) * 2;
            worst = Math.Max(worst, UlpsApart(Elementary.Exp(x), Math.Exp(x)));
        }

        Assert.True(worst <= 1, $"{worst} ulp");
        Assert.Equal(0, Elementary.Exp(-746));
        Assert.Equal(0, Elementary.Exp(double.NegativeInfinity));
        Assert.Equal(double.PositiveInfinity, Elementary.Exp(709.8));
        Assert.Equal(double.PositiveInfinity, Elementary.Exp(double.PositiveInfinity));
        Assert.True(double.IsNaN(Elementary.Exp(double.NaN)));
        Assert.Equal(1, Elementary.Exp(0.0));
    }

    [Fact]
    public void Log_is_within_one_ulp()
    {
        var random = new Random(2);
        double worst = 0;
        for (int i = 0; i < 2_000_000; i++)
        {
            double x = i % 2 == 0
                ? BitConverter.Int64BitsToDouble(random.NextInt64(1, 0x7FEF_FFFF_FFFF_FFFF))
                : 0.5 + (random.NextDouble() * 1.5);
            worst = Math.Max(worst, UlpsApart(Elementary.Log(x), Math.Log(x)));
        }

        Assert.True(worst <= 1, $"{worst} ulp");
        Assert.Equal(0, Elementary.Log(1));
        Assert.Equal(double.NegativeInfinity, Elementary.Log(0));
        Assert.Equal(double.NegativeInfinity, Elementary.Log(-0.0));
        Assert.Equal(double.PositiveInfinity, Elementary.Log(double.PositiveInfinity));
        Assert.True(double.IsNaN(Elementary.Log(-1)));
        Assert.True(double.IsNaN(Elementary.Log(double.NaN)));
    }

    [Fact]
    public void Sine_and_cosine_are_within_one_ulp_up_to_huge_angles()
    {
        var random = new Random(3);
        double worst = 0;
        double at = 0;
        for (int i = 0; i < 3_000_000; i++)
        {
            double x = (i % 4) switch
            {
                0 => (random.NextDouble() - 0.5) * 8,
                1 => (random.NextDouble() - 0.5) * 2e6,
                2 => (random.NextDouble() - 0.5) * 7e13,
                _ => Math.BitIncrement(random.Next(1, 1_000_000) * (Math.PI / 2)), // next to a zero of one of the two
            };
            (double sin, double cos) = Elementary.SinCos(x);
            double error = Math.Max(UlpsApart(sin, Math.Sin(x)), UlpsApart(cos, Math.Cos(x)));
            if (error > worst)
                (worst, at) = (error, x);
        }

        Assert.True(worst <= 1, $"{worst} ulp at {at:R}");
        Assert.Equal((0.0, 1.0), Elementary.SinCos(0));
        Assert.True(double.IsNaN(Elementary.SinCos(double.PositiveInfinity).Sin));
        Assert.True(double.IsNaN(Elementary.SinCos(double.NaN).Cos));
    }

    [Theory]
    [InlineData(10_000)]
    [InlineData(500_000)]
    [InlineData(1_000_000)]
    public void Powers_of_rotary_bases_are_within_their_bound(double theta)
    {
        for (int i = 0; i < 4096; i++)
        {
            double exponent = -i / 4096.0;
            double exact = Math.Pow(theta, exponent);
            double bound = Math.ScaleB(2 + Math.Abs(exponent * Math.Log(theta)), -53) * exact;
            Assert.True(Math.Abs(Elementary.Pow(theta, exponent) - exact) <= bound + Math.ScaleB(exact, -53));
        }

        Assert.Equal(1, Elementary.Pow(theta, 0));
    }

    private static double UlpOfFloat(double value) =>
        Math.ScaleB(1, Math.Max(Math.ILogB(Math.Max(Math.Abs(value), double.Epsilon)), -126) - 23);

    /// <summary>Distance in representable doubles.</summary>
    private static double UlpsApart(double a, double b) =>
        (double)BigInteger.Abs((BigInteger)Ordered(a) - Ordered(b));

    private static long Ordered(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        return bits < 0 ? long.MinValue - bits : bits;
    }
}
