namespace Pure.Engine.Kernels;

/// <content>Double precision: rotary angles and log-probabilities. Bounds are those the tests measure.</content>
internal static partial class Elementary
{
    // n · LnTwoHighD is exact: 32 bits and at most 11.
    private const double LnTwoHighD = 0.6931471803691238;
    private const double LnTwoLowD = 1.9082149292705877e-10;
    private const double Log2ED = 1.4426950408889634;

    /// <summary>1.5 · 2^52: rounds a double below 2^51 in size to an integer.</summary>
    private const double RoundingShiftD = 6755399441055744;

    // π/2 as the sum of three doubles, right to 2^-160.
    private const double HalfPi1 = 1.5707963267948966;
    private const double HalfPi2 = 6.123233995736766e-17;
    private const double HalfPi3 = -1.4973849048591698e-33;
    private const double TwoOverPi = 0.6366197723675814;

    /// <summary>The largest angle <see cref="SinCos"/> reduces: 2^45, where neighbouring doubles are 1/128 apart.</summary>
    private const double LargestAngle = 35184372088832;

    /// <summary>e^x within 1 ulp (1 unit of 2^-1074 among the denormals); 0 under −746, +∞ above 709.79; NaN stays NaN.</summary>
    internal static double Exp(double x)
    {
        x = x < -746 ? -746 : x;
        x = x > 710 ? 710 : x;
        double shifted = Math.FusedMultiplyAdd(x, Log2ED, RoundingShiftD);
        double n = shifted - RoundingShiftD;
        double r = Math.FusedMultiplyAdd(n, -LnTwoHighD, x);
        r = Math.FusedMultiplyAdd(n, -LnTwoLowD, r);

        // Taylor: |r| ≤ 0.347, the first term left out is below 2^-57.
        double q = 1.0 / 6227020800; // 1/13!
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 479001600);
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 39916800);
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 3628800);
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 362880);
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 40320);
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 5040);
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 720);
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 120);
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 24);
        q = Math.FusedMultiplyAdd(q, r, 1.0 / 6);
        q = Math.FusedMultiplyAdd(q, r, 0.5);
        double fraction = 1 + Math.FusedMultiplyAdd(r * r, q, r);

        // Two factors, as in single precision. NaN: the exponents are arbitrary and the product NaN.
        int exponent = (int)(BitConverter.DoubleToInt64Bits(shifted) - BitConverter.DoubleToInt64Bits(RoundingShiftD));
        int half = exponent >> 1;
        return fraction * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    /// <summary>Natural logarithm within 1 ulp; −∞ at 0, NaN below, +∞ at +∞.</summary>
    internal static double Log(double x)
    {
        if (!(x > 0) || double.IsPositiveInfinity(x))
            return x == 0 ? double.NegativeInfinity : x > 0 ? x : double.NaN;

        int exponent = 0;
        if (x < 2.2250738585072014e-308)
        {
            x *= 18014398509481984; // 2^54
            exponent = -54;
        }

        // x = 2^exponent · m with m in [√½, √2).
        long bits = BitConverter.DoubleToInt64Bits(x);
        exponent += (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (m >= 1.4142135623730951)
        {
            m *= 0.5;
            exponent++;
        }

        // log(1 + f) = 2·atanh(s) with s = f/(2 + f); as f − (f²/2 − s·(f²/2 + r)), r = 2·(s²/3 + s⁴/5 + …), its rounding
        // errors come from the small terms only. s² ≤ 0.0295, the first term left out is below 2^-61.
        double f = m - 1;
        double s = f / (2 + f);
        double z = s * s;
        double r = 2.0 / 23;
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 21);
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 19);
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 17);
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 15);
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 13);
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 11);
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 9);
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 7);
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 5);
        r = Math.FusedMultiplyAdd(r, z, 2.0 / 3);
        r *= z;
        double halfSquare = 0.5 * f * f;
        double low = Math.FusedMultiplyAdd(s, halfSquare + r, exponent * LnTwoLowD);
        return Math.FusedMultiplyAdd(exponent, LnTwoHighD, f - (halfSquare - low));
    }

    /// <summary>
    /// Sine and cosine of an angle in radians, each within 1 ulp for |x| ≤ 2^45; beyond, where a double no longer holds an angle,
    /// and for NaN both are NaN.
    /// </summary>
    internal static (double Sin, double Cos) SinCos(double x)
    {
        if (!(Math.Abs(x) <= LargestAngle))
            return (double.NaN, double.NaN);

        double shifted = Math.FusedMultiplyAdd(x, TwoOverPi, RoundingShiftD);
        double n = shifted - RoundingShiftD;

        // x − n·π/2 as high + low. Each product is split exactly by a fused multiply-add; x − p1 is exact because the two are close.
        double p1 = n * HalfPi1;
        double p1Error = Math.FusedMultiplyAdd(n, HalfPi1, -p1);
        double p2 = n * HalfPi2;
        double p2Error = Math.FusedMultiplyAdd(n, HalfPi2, -p2);
        (double high, double low) = TwoSum(x - p1, -p1Error);
        (high, double carry) = TwoSum(high, -p2);
        low += carry - p2Error - (n * HalfPi3);
        (high, low) = TwoSum(high, low);

        double z = high * high;
        double sin = Math.FusedMultiplyAdd(z * high, SinSeries(z), low * (1 - (0.5 * z))) + high;
        double halfSquare = 0.5 * z;
        double head = 1 - halfSquare;
        double cos = head + (1 - head - halfSquare + Math.FusedMultiplyAdd(z * z, CosSeries(z), -(high * low)));

        return (BitConverter.DoubleToInt64Bits(shifted) & 3) switch
        {
            0 => (sin, cos),
            1 => (cos, -sin),
            2 => (-sin, -cos),
            _ => (-cos, sin),
        };
    }

    /// <summary>
    /// <paramref name="x"/> to the power <paramref name="y"/> for x &gt; 0, as e^(y·ln x) with the product's rounding error carried:
    /// relative error at most 2^-53 · (2 + |y·ln x|).
    /// </summary>
    internal static double Pow(double x, double y)
    {
        double log = Log(x);
        double product = y * log;
        double error = Math.FusedMultiplyAdd(y, log, -product);
        double power = Exp(product);
        return double.IsFinite(error) && double.IsFinite(power) ? Math.FusedMultiplyAdd(power, error, power) : power;
    }

    // (sin x − x)/x³ in z = x²: |x| ≤ π/4, the first term left out is below 2^-62.
    private static double SinSeries(double z)
    {
        double q = 1.0 / 355687428096000; // 1/17!
        q = Math.FusedMultiplyAdd(q, z, -1.0 / 1307674368000);
        q = Math.FusedMultiplyAdd(q, z, 1.0 / 6227020800);
        q = Math.FusedMultiplyAdd(q, z, -1.0 / 39916800);
        q = Math.FusedMultiplyAdd(q, z, 1.0 / 362880);
        q = Math.FusedMultiplyAdd(q, z, -1.0 / 5040);
        q = Math.FusedMultiplyAdd(q, z, 1.0 / 120);
        return Math.FusedMultiplyAdd(q, z, -1.0 / 6);
    }

    // (cos x − 1 + x²/2)/x⁴ in z = x².
    private static double CosSeries(double z)
    {
        double q = -1.0 / 6402373705728000; // 1/18!
        q = Math.FusedMultiplyAdd(q, z, 1.0 / 20922789888000);
        q = Math.FusedMultiplyAdd(q, z, -1.0 / 87178291200);
        q = Math.FusedMultiplyAdd(q, z, 1.0 / 479001600);
        q = Math.FusedMultiplyAdd(q, z, -1.0 / 3628800);
        q = Math.FusedMultiplyAdd(q, z, 1.0 / 40320);
        q = Math.FusedMultiplyAdd(q, z, -1.0 / 720);
        return Math.FusedMultiplyAdd(q, z, 1.0 / 24);
    }

    private static double PowerOfTwo(int n) => BitConverter.Int64BitsToDouble((long)(n + 1023) << 52);

    /// <summary>a + b as a rounded sum and its exact error (Knuth).</summary>
    private static (double Sum, double Error) TwoSum(double a, double b)
    {
        double sum = a + b;
        double part = sum - a;
        return (sum, a - (sum - part) + (b - part));
    }
}
