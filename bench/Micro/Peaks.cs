using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Kernels.Emit;

namespace Pure.Bench.Micro;

/// <summary>
/// What one thread of this processor computes at most: loops of nothing but the instruction that a product is made of, on independent
/// registers. Billions of operations per second, a multiplication and an addition counted apart; 0 where the instruction is missing.
/// </summary>
internal static class Peaks
{
    private const int Chains = 8;
    private const int Rounds = 20_000;
    private const int Tries = 50;

    /// <summary>Products of 32 bytes, added up in pairs of 16 bits.</summary>
    internal static double Pairs256() => Avx2.IsSupported ? Best(Paired256, 2.0 * 32 * Chains * Rounds) : 0;

    /// <summary>The same of 64 bytes.</summary>
    internal static double Pairs512() => Avx512BW.IsSupported ? Best(Paired512, 2.0 * 64 * Chains * Rounds) : 0;

    /// <summary>VNNI on 64 bytes, four of them from memory, as the emitted kernels use it.</summary>
    internal static double Emitted512() => DotPeak.OperationsPerRound == 0
        ? 0
        : Best(
            _ =>
            {
                DotPeak.Run(1000);
                return 0;
            },
            1000.0 * DotPeak.OperationsPerRound);

    /// <summary>Fused multiply-adds of floats at the best width.</summary>
    internal static double FusedMultiplyAdds() => Math.Max(
        Fma.IsSupported ? Best(Fused256, 2.0 * 8 * Chains * Rounds) : 0,
        Avx512F.IsSupported ? Best(Fused512, 2.0 * 16 * Chains * Rounds) : 0);

    private static double Best(Func<sbyte[], int> loop, double operations)
    {
        var x = new sbyte[64];
        double best = double.MaxValue;
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            long started = Stopwatch.GetTimestamp();
            _ = loop(x);
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return operations / best / 1e9;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Paired256(sbyte[] x)
    {
        Vector256<byte> codes = Vector256.Create((byte)1);
        Vector256<short> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        for (int round = 0; round < Rounds; round++)
        {
            // Read in every round, as in a product; otherwise the multiplication would move out of the loop.
            Vector256<sbyte> four = Vector256.Create(x);
            a += Avx2.MultiplyAddAdjacent(a.AsByte(), four);
            b += Avx2.MultiplyAddAdjacent(b.AsByte(), four);
            c += Avx2.MultiplyAddAdjacent(c.AsByte(), four);
            d += Avx2.MultiplyAddAdjacent(d.AsByte(), four);
            e += Avx2.MultiplyAddAdjacent(e.AsByte(), four);
            f += Avx2.MultiplyAddAdjacent(f.AsByte(), four);
            g += Avx2.MultiplyAddAdjacent(g.AsByte(), four);
            h += Avx2.MultiplyAddAdjacent(h.AsByte(), four);
        }

        return (a + b + c + d + (e + f + g + h)).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Paired512(sbyte[] x)
    {
        Vector512<byte> codes = Vector512.Create((byte)1);
        Vector512<short> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        for (int round = 0; round < Rounds; round++)
        {
            // Read in every round, as in a product; otherwise the multiplication would move out of the loop.
            Vector512<sbyte> four = Vector512.Create(x);
            a += Avx512BW.MultiplyAddAdjacent(a.AsByte(), four);
            b += Avx512BW.MultiplyAddAdjacent(b.AsByte(), four);
            c += Avx512BW.MultiplyAddAdjacent(c.AsByte(), four);
            d += Avx512BW.MultiplyAddAdjacent(d.AsByte(), four);
            e += Avx512BW.MultiplyAddAdjacent(e.AsByte(), four);
            f += Avx512BW.MultiplyAddAdjacent(f.AsByte(), four);
            g += Avx512BW.MultiplyAddAdjacent(g.AsByte(), four);
            h += Avx512BW.MultiplyAddAdjacent(h.AsByte(), four);
        }

        return (a + b + c + d + (e + f + g + h)).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Fused256(sbyte[] x)
    {
        Vector256<float> half = Vector256.Create(x[0] + 0.5f);
        Vector256<float> a = half, b = half, c = half, d = half, e = half, f = half, g = half, h = half;
        for (int round = 0; round < Rounds; round++)
        {
            a = Fma.MultiplyAdd(a, half, half);
            b = Fma.MultiplyAdd(b, half, half);
            c = Fma.MultiplyAdd(c, half, half);
            d = Fma.MultiplyAdd(d, half, half);
            e = Fma.MultiplyAdd(e, half, half);
            f = Fma.MultiplyAdd(f, half, half);
            g = Fma.MultiplyAdd(g, half, half);
            h = Fma.MultiplyAdd(h, half, half);
        }

        return (int)(a + b + c + d + (e + f + g + h)).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Fused512(sbyte[] x)
    {
        Vector512<float> half = Vector512.Create(x[0] + 0.5f);
        Vector512<float> a = half, b = half, c = half, d = half, e = half, f = half, g = half, h = half;
        for (int round = 0; round < Rounds; round++)
        {
            a = Avx512F.FusedMultiplyAdd(a, half, half);
            b = Avx512F.FusedMultiplyAdd(b, half, half);
            c = Avx512F.FusedMultiplyAdd(c, half, half);
            d = Avx512F.FusedMultiplyAdd(d, half, half);
            e = Avx512F.FusedMultiplyAdd(e, half, half);
            f = Avx512F.FusedMultiplyAdd(f, half, half);
            g = Avx512F.FusedMultiplyAdd(g, half, half);
            h = Avx512F.FusedMultiplyAdd(h, half, half);
        }

        return (int)(a + b + c + d + (e + f + g + h)).ToScalar();
    }
}
