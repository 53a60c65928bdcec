using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>Activations to 8-bit blocks of 32, by the definition in <see cref="Q8Activations"/>, with AVX2: a block is four registers.</summary>
internal static unsafe class QuantizeKernel
{
    internal static void Vector(float* x, int columns, sbyte* quants, float* scales, int* sums)
    {
        if (!Lanes256.IsSupported)
        {
            Q8Activations.Quantize(x, columns, quants, scales, sums);
            return;
        }

        Vector256<int> magnitude = Vector256.Create(0x7FFF_FFFF);
        for (int block = 0; block < columns / Q8Activations.BlockSize; block++)
        {
            Vector256<float> a = Vector256.Load(x);
            Vector256<float> b = Vector256.Load(x + 8);
            Vector256<float> c = Vector256.Load(x + 16);
            Vector256<float> d = Vector256.Load(x + 24);
            Vector256<int> largest = Vector256.Max(
                Vector256.Max(a.AsInt32() & magnitude, b.AsInt32() & magnitude),
                Vector256.Max(c.AsInt32() & magnitude, d.AsInt32() & magnitude));
            float amax = BitConverter.Int32BitsToSingle(Largest(largest));
            if (!(amax is >= 7.888609e-31f and < float.PositiveInfinity))
            {
                Q8Activations.Quantize(x, Q8Activations.BlockSize, quants, scales + block, sums + block);
            }
            else
            {
                // The conversion rounds halves to even; no product passes 127, so packing never saturates.
                Vector256<float> inverse = Vector256.Create(127f / amax);
                Vector256<int> qa = Avx.ConvertToVector256Int32(a * inverse);
                Vector256<int> qb = Avx.ConvertToVector256Int32(b * inverse);
                Vector256<int> qc = Avx.ConvertToVector256Int32(c * inverse);
                Vector256<int> qd = Avx.ConvertToVector256Int32(d * inverse);
                Vector256<sbyte> packed = Avx2.PackSignedSaturate(Avx2.PackSignedSaturate(qa, qb), Avx2.PackSignedSaturate(qc, qd));

                // Packing works in 128-bit halves: groups of four bytes come as a0 b0 c0 d0 a1 b1 c1 d1.
                Avx2.PermuteVar8x32(packed.AsInt32(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsSByte().Store(quants);
                scales[block] = amax / 127f;
                sums[block] = Vector256.Sum(qa + qb + (qc + qd));
            }

            x += Q8Activations.BlockSize;
            quants += Q8Activations.BlockSize;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Largest(Vector256<int> value)
    {
        Vector128<int> four = Vector128.Max(value.GetLower(), value.GetUpper());
        Vector128<int> two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Math.Max(two.ToScalar(), two.GetElement(1));
    }
}
