using System.Runtime.CompilerServices;

namespace Pure.Engine.Kernels;

/// <summary>
/// Elementary functions from IEEE basic operations and fused multiply-add only, so that every machine and every vector width gives
/// the same bits. This file: single precision, for kernels. Elementary.Double.cs: double precision, for tables and log-probabilities.
/// </summary>
internal static partial class Elementary
{
    // exp(x) = 2^n · exp(r), n = round(x / ln 2), r = x − n·ln 2 in [−0.347, 0.347].
    // ln 2 is split so that n · LnTwoHigh is exact (15 and 8 bits); r is then right to about 2^-31.
    // exp(r) = 1 + (r + r²·q(r)), q of degree 4, minimax for the relative error of exp: 4.4e-9.
    // Results just under a power of two are the worst: a quarter ulp from r, one from the inner sum, a half from the last rounding.
    private const float ExpLowest = -104f; // exp(-104) < 2^-150 rounds to 0
    private const float ExpHighest = 89f; // exp(89) > 2^128 rounds to +inf
    private const float Log2E = 1.44269502f;
    private const float LnTwoHigh = 0.693145752f;
    private const float LnTwoLow = 1.42860677e-6f;
    private const float Q0 = 0.49999994f;
    private const float Q1 = 0.166665196f;
    private const float Q2 = 0.0416683592f;
    private const float Q3 = 0.00836875476f;
    private const float Q4 = 0.0013816912f;

    /// <summary>1.5 · 2^23: adding it rounds a float below 2^22 in size to an integer, which then stands in the low bits.</summary>
    internal const float RoundingShift = 12582912f;

    /// <summary>
    /// e^x: at most 1.07 ulp from the true value (a unit of 2^-149 among the denormals); 0 under −104, +∞ above 88.73; NaN stays NaN.
    /// </summary>
    internal static float Exp(float x)
    {
        x = x < ExpLowest ? ExpLowest : x;
        x = x > ExpHighest ? ExpHighest : x;
        float shifted = MathF.FusedMultiplyAdd(x, Log2E, RoundingShift);
        float n = shifted - RoundingShift;
        float r = MathF.FusedMultiplyAdd(n, -LnTwoHigh, x);
        r = MathF.FusedMultiplyAdd(n, -LnTwoLow, r);
        float q = MathF.FusedMultiplyAdd(Q4, r, Q3);
        q = MathF.FusedMultiplyAdd(q, r, Q2);
        q = MathF.FusedMultiplyAdd(q, r, Q1);
        q = MathF.FusedMultiplyAdd(q, r, Q0);
        float fraction = 1f + MathF.FusedMultiplyAdd(r * r, q, r);
        return ScaleByPowerOfTwo(fraction, shifted);
    }

    /// <summary>1 / (1 + e^−x).</summary>
    internal static float Sigmoid(float x) => 1f / (1f + Exp(-x));

    /// <summary>x · sigmoid(x) as x / (1 + e^−x): finite for every finite x.</summary>
    internal static float Silu(float x) => x / (1f + Exp(-x));

    // 2·√(2/π), and that times 0.044715.
    private const float GeluLinear = 1.59576912f;
    private const float GeluCubic = 0.0713548163f;

    /// <summary>
    /// The Gaussian error linear unit in its tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2), written with a sigmoid:
    /// x · sigmoid(2·√(2/π)·(x + 0.044715·x³)).
    /// </summary>
    internal static float Gelu(float x) => x / (1f + Exp(-(x * MathF.FusedMultiplyAdd(GeluCubic, x * x, GeluLinear))));

    // 2^n in two factors: n reaches 128 and −150, where one factor would leave the range. The first product is exact; the second
    // rounds once when it lands among the denormals.
    private static float ScaleByPowerOfTwo(float value, float shifted)
    {
        int n = BitConverter.SingleToInt32Bits(shifted) - BitConverter.SingleToInt32Bits(RoundingShift);
        int half = n >> 1;
        float first = BitConverter.Int32BitsToSingle((half + 127) << 23);
        float second = BitConverter.Int32BitsToSingle((n - half + 127) << 23);
        return value * first * second;
    }

    /// <summary>The steps of <see cref="Exp(float)"/> in sixteen lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TLanes Exp<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes shift = TLanes.Broadcast(RoundingShift);
        x = TLanes.Clamp(x, TLanes.Broadcast(ExpLowest), TLanes.Broadcast(ExpHighest));
        TLanes shifted = TLanes.FusedMultiplyAdd(x, TLanes.Broadcast(Log2E), shift);
        TLanes n = shifted - shift;
        TLanes r = TLanes.FusedMultiplyAdd(n, TLanes.Broadcast(-LnTwoHigh), x);
        r = TLanes.FusedMultiplyAdd(n, TLanes.Broadcast(-LnTwoLow), r);
        TLanes q = TLanes.FusedMultiplyAdd(TLanes.Broadcast(Q4), r, TLanes.Broadcast(Q3));
        q = TLanes.FusedMultiplyAdd(q, r, TLanes.Broadcast(Q2));
        q = TLanes.FusedMultiplyAdd(q, r, TLanes.Broadcast(Q1));
        q = TLanes.FusedMultiplyAdd(q, r, TLanes.Broadcast(Q0));
        TLanes fraction = TLanes.Broadcast(1f) + TLanes.FusedMultiplyAdd(r * r, q, r);
        return TLanes.ScaleByPowerOfTwo(fraction, shifted);
    }

    /// <summary>The steps of <see cref="Gelu(float)"/> in sixteen lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TLanes Gelu<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> =>
        x / (TLanes.Broadcast(1f)
            + Exp(-(x * TLanes.FusedMultiplyAdd(TLanes.Broadcast(GeluCubic), x * x, TLanes.Broadcast(GeluLinear)))));

    /// <summary>The steps of <see cref="Silu(float)"/> in sixteen lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TLanes Silu<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> =>
        x / (TLanes.Broadcast(1f) + Exp(-x));
}
