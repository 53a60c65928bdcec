using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels;

/// <summary>Where the codes of one sub-block of eight weight rows come from: an unpacked tile, or the rows as they lie.</summary>
internal interface IBlockCodes
{
    /// <summary>Codes are signed; otherwise unsigned, at most 63.</summary>
    static abstract bool IsSigned { get; }

    /// <summary>Whether neighbouring pairs of elements have factors; otherwise they are 1 and not read.</summary>
    static abstract bool HasHalfScales { get; }

    /// <summary>The 32 codes of a row.</summary>
    Vector256<byte> Row(int row);

    /// <summary>The 16 factors of a row's pairs of elements.</summary>
    Vector256<short> HalfScales(int row);
}

/// <summary>A sub-block of the tile that <see cref="MatMulQ8Kernel"/> unpacks.</summary>
internal readonly unsafe struct TileCodes<TDecoder>(byte* codes, short* halfScales) : IBlockCodes
    where TDecoder : struct, IBlockDecoder
{
    public static bool IsSigned => TDecoder.IsSigned;

    public static bool HasHalfScales => TDecoder.HasHalfScales;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<byte> Row(int row) => Vector256.Load(codes + (row * 32));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<short> HalfScales(int row) => Vector256.Load(halfScales + (row * 16));
}

/// <summary>A sub-block of eight rows as stored, each decoded where it is needed.</summary>
internal readonly unsafe struct StoredCodes<TDecoder>(byte** groups, int s) : IBlockCodes
    where TDecoder : struct, IBlockDecoder
{
    public static bool IsSigned => TDecoder.IsSigned;

    public static bool HasHalfScales => TDecoder.HasHalfScales;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<byte> Row(int row) => TDecoder.Codes(groups[row], s);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<short> HalfScales(int row) => TDecoder.HalfScales(groups[row], s);
}

/// <summary>
/// The inner step of a product with 8-bit activations: one sub-block of 32 elements of eight weight rows with one of an input row.
/// Integer sums are exact, so any order of instructions gives the definition's value. Written for AVX2, a register for a row's 32
/// codes; the AVX-512 set uses it too, because two rows in 64 bytes were 10 to 20 % slower on a Zen 4, whose 512-bit units are halves.
/// </summary>
internal static unsafe class BlockSums
{
    /// <summary>The eight dot products with the 32 activations at <paramref name="x"/>, −127 to 127.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<int> Dot<TCodes>(TCodes codes, sbyte* x)
        where TCodes : struct, IBlockCodes
    {
        Vector256<sbyte> xs = Vector256.Load(x);
        Vector256<int> low = Four(codes, 0, xs);
        Vector256<int> high = Four(codes, 4, xs);

        // low: (a0 b0 c0 d0 | a1 b1 c1 d1) for rows 0 to 3, high likewise for 4 to 7.
        return Avx2.Permute2x128(low, high, 0x20) + Avx2.Permute2x128(low, high, 0x31);
    }

    /// <summary>The sum of the first sixteen activations at <paramref name="x"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int LowerHalf(sbyte* x)
    {
        Vector128<sbyte> sixteen = Vector128.Load(x);
        return Vector128.Sum(Vector128.WidenLower(sixteen) + Vector128.WidenUpper(sixteen));
    }

    /// <summary>Four rows: (a b c d) of the lower 16 elements, then of the upper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Four<TCodes>(TCodes codes, int first, Vector256<sbyte> x)
        where TCodes : struct, IBlockCodes
    {
        Vector256<int> a = One(codes, first, x);
        Vector256<int> b = One(codes, first + 1, x);
        Vector256<int> ab = Avx2.UnpackLow(a, b) + Avx2.UnpackHigh(a, b);
        Vector256<int> c = One(codes, first + 2, x);
        Vector256<int> d = One(codes, first + 3, x);
        Vector256<int> cd = Avx2.UnpackLow(c, d) + Avx2.UnpackHigh(c, d);
        return Avx2.UnpackLow(ab.AsInt64(), cd.AsInt64()).AsInt32() + Avx2.UnpackHigh(ab.AsInt64(), cd.AsInt64()).AsInt32();
    }

    /// <summary>
    /// Sums of four neighbouring products. Unsigned × signed bytes add in pairs of 16 bits: 2 · 63 · 127 fits; signed codes go in as
    /// |code| with their sign moved to x: 2 · 128 · 127 = 32,512 fits as well.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> One<TCodes>(TCodes codes, int row, Vector256<sbyte> x)
        where TCodes : struct, IBlockCodes
    {
        Vector256<byte> code = codes.Row(row);
        Vector256<short> pairs = TCodes.IsSigned
            ? Avx2.MultiplyAddAdjacent(Avx2.Abs(code.AsSByte()), Avx2.Sign(x, code.AsSByte()))
            : Avx2.MultiplyAddAdjacent(code, x);
        return Avx2.MultiplyAddAdjacent(pairs, TCodes.HasHalfScales ? codes.HalfScales(row) : Vector256.Create((short)1));
    }
}
