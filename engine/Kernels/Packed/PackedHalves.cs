using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels.Packed;

/// <summary>A sub-block whose halves of sixteen elements have integer scales of their own.</summary>
internal unsafe interface IHalvedUnit
{
    /// <summary>What is subtracted from each code.</summary>
    static abstract int Zero { get; }

    /// <summary>Eight rows' integer scales of the lower half, and of the upper.</summary>
    static abstract (Vector256<int> Lower, Vector256<int> Upper) HalfScales(byte* unit, int half);

    /// <summary>
    /// Sixteen codes of eight rows: elements 8h … (a), 8h + 4 … (b), 16 + 8h … (c), 20 + 8h … (d), at most 63.
    /// </summary>
    static abstract void Codes(
        byte* unit, int half, int h, out Vector256<byte> a, out Vector256<byte> b, out Vector256<byte> c, out Vector256<byte> d);
}

/// <summary>Integer sums of such sub-blocks, the halves combined.</summary>
internal static unsafe class PackedHalves<TUnit>
    where TUnit : struct, IHalvedUnit
{
    /// <summary>Eight rows × one column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column)
    {
        byte* quants = x.Quants(column);
        Vector256<int> lower = Vector256.Create(TUnit.Zero * x.MinusLower(column));
        Vector256<int> upper = Vector256.Create(TUnit.Zero * x.MinusUpper(column));
        for (int h = 0; h < 2; h++)
        {
            TUnit.Codes(unit, half, h, out Vector256<byte> a, out Vector256<byte> b, out Vector256<byte> c, out Vector256<byte> d);
            lower += Eight(a, b, quants + (8 * h));
            upper += Eight(c, d, quants + 16 + (8 * h));
        }

        (Vector256<int> lowerScales, Vector256<int> upperScales) = TUnit.HalfScales(unit, half);
        return (lower * lowerScales) + (upper * upperScales);
    }

    /// <summary>Eight rows × four columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column)
    {
        byte* quants = x.Quants(column);
        FourColumns lower = x.MinusLowers(TUnit.Zero, column);
        FourColumns upper = x.MinusUppers(TUnit.Zero, column);
        for (int h = 0; h < 2; h++)
        {
            TUnit.Codes(unit, half, h, out Vector256<byte> a, out Vector256<byte> b, out Vector256<byte> c, out Vector256<byte> d);
            byte* at = quants + (8 * h);
            lower += new FourColumns(Eight(a, b, at), Eight(a, b, at + 32), Eight(a, b, at + 64), Eight(a, b, at + 96));
            upper += new FourColumns(Eight(c, d, at + 16), Eight(c, d, at + 48), Eight(c, d, at + 80), Eight(c, d, at + 112));
        }

        (Vector256<int> lowerScales, Vector256<int> upperScales) = TUnit.HalfScales(unit, half);
        return (lower * lowerScales) + (upper * upperScales);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Eight(Vector256<byte> codes, Vector256<byte> others, byte* x) =>
        PackedNibbles.Eight(codes, x, others, x + 4);
}
