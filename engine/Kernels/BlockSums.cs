using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels;

/// <summary>
/// The inner step of a product with 8-bit activations: one sub-block of 32 elements of eight weight rows with one of an input row.
/// Integer sums are exact, so any order of instructions gives the definition's value.
/// </summary>
internal unsafe interface IBlockSums
{
    /// <summary>The eight dot products.</summary>
    /// <param name="codes">
    /// <c>[8, 32]</c> weight codes, the rows in the order 0, 4, 1, 5, 2, 6, 3, 7 (so that a register of 64 bytes holds r and r + 4).
    /// </param>
    /// <param name="halfScales"><c>[8, 16]</c> factors of neighbouring pairs of elements, in the same order.</param>
    /// <param name="x"><c>[32]</c> activations, −127 to 127.</param>
    /// <param name="hasHalfScales">Otherwise the factors are 1 and not read. A constant of the caller, as is the next.</param>
    /// <param name="isSigned">Codes are signed; otherwise unsigned, at most 63.</param>
    static abstract Vector256<int> Dot(byte* codes, short* halfScales, sbyte* x, bool hasHalfScales, bool isSigned);
}

/// <summary>AVX2: a register holds one row's 32 codes.</summary>
internal readonly unsafe struct BlockSums256 : IBlockSums
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* codes, short* halfScales, sbyte* x, bool hasHalfScales, bool isSigned)
    {
        Vector256<sbyte> xs = Vector256.Load(x);
        Vector256<int> low = Four(codes, halfScales, xs, hasHalfScales, isSigned);
        Vector256<int> high = Four(codes + 32, halfScales + 16, xs, hasHalfScales, isSigned);

        // low: (a0 b0 c0 d0 | a1 b1 c1 d1) for rows 0 to 3, high likewise for 4 to 7.
        return Avx2.Permute2x128(low, high, 0x20) + Avx2.Permute2x128(low, high, 0x31);
    }

    /// <summary>Four rows, 64 bytes apart: (a b c d) of the lower 16 elements, then of the upper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Four(byte* codes, short* halfScales, Vector256<sbyte> x, bool hasHalfScales, bool isSigned)
    {
        Vector256<int> a = One(codes, halfScales, x, hasHalfScales, isSigned);
        Vector256<int> b = One(codes + 64, halfScales + 32, x, hasHalfScales, isSigned);
        Vector256<int> ab = Avx2.UnpackLow(a, b) + Avx2.UnpackHigh(a, b);
        Vector256<int> c = One(codes + 128, halfScales + 64, x, hasHalfScales, isSigned);
        Vector256<int> d = One(codes + 192, halfScales + 96, x, hasHalfScales, isSigned);
        Vector256<int> cd = Avx2.UnpackLow(c, d) + Avx2.UnpackHigh(c, d);
        return (Avx2.UnpackLow(ab.AsInt64(), cd.AsInt64()).AsInt32() + Avx2.UnpackHigh(ab.AsInt64(), cd.AsInt64()).AsInt32());
    }

    /// <summary>
    /// Sums of four neighbouring products. Unsigned × signed bytes add in pairs of 16 bits: 2 · 63 · 127 fits; signed codes go in as
    /// |code| with their sign moved to x: 2 · 128 · 127 = 32,512 fits as well.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> One(byte* codes, short* halfScales, Vector256<sbyte> x, bool hasHalfScales, bool isSigned)
    {
        Vector256<short> pairs;
        if (isSigned)
        {
            Vector256<sbyte> signed = Vector256.Load((sbyte*)codes);
            pairs = Avx2.MultiplyAddAdjacent(Avx2.Abs(signed), Avx2.Sign(x, signed));
        }
        else
        {
            pairs = Avx2.MultiplyAddAdjacent(Vector256.Load(codes), x);
        }

        return Avx2.MultiplyAddAdjacent(pairs, hasHalfScales ? Vector256.Load(halfScales) : Vector256.Create((short)1));
    }
}

/// <summary>AVX-512: a register holds the 32 codes of rows r and r + 4.</summary>
internal readonly unsafe struct BlockSums512 : IBlockSums
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* codes, short* halfScales, sbyte* x, bool hasHalfScales, bool isSigned)
    {
        Vector256<sbyte> once = Vector256.Load(x);
        Vector512<sbyte> xs = Vector512.Create(once, once);
        Vector512<int> a = Two(codes, halfScales, xs, hasHalfScales, isSigned);
        Vector512<int> b = Two(codes + 64, halfScales + 32, xs, hasHalfScales, isSigned);
        Vector512<int> ab = Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b);
        Vector512<int> c = Two(codes + 128, halfScales + 64, xs, hasHalfScales, isSigned);
        Vector512<int> d = Two(codes + 192, halfScales + 96, xs, hasHalfScales, isSigned);
        Vector512<int> cd = Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d);
        Vector512<int> all =
            Avx512F.UnpackLow(ab.AsInt64(), cd.AsInt64()).AsInt32() + Avx512F.UnpackHigh(ab.AsInt64(), cd.AsInt64()).AsInt32();

        // Quarters: rows 0 to 3 of the lower 16 elements, of the upper; rows 4 to 7 likewise.
        Vector512<int> sums = all + Avx512F.Shuffle4x128(all, all, 0b10_11_00_01);
        return Avx2.Permute2x128(sums.GetLower(), sums.GetUpper(), 0x20);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Two(byte* codes, short* halfScales, Vector512<sbyte> x, bool hasHalfScales, bool isSigned)
    {
        Vector512<short> pairs;
        if (isSigned)
        {
            // No sign instruction at this width: x is subtracted from zero under the mask of negative codes.
            Vector512<sbyte> signed = Vector512.Load((sbyte*)codes);
            Vector512<sbyte> negated = Vector512.ConditionalSelect(
                Vector512.LessThan(signed, Vector512<sbyte>.Zero), Vector512<sbyte>.Zero - x, x);
            pairs = Avx512BW.MultiplyAddAdjacent(Avx512BW.Abs(signed), negated);
        }
        else
        {
            pairs = Avx512BW.MultiplyAddAdjacent(Vector512.Load(codes), x);
        }

        return Avx512BW.MultiplyAddAdjacent(pairs, hasHalfScales ? Vector512.Load(halfScales) : Vector512.Create((short)1));
    }
}
