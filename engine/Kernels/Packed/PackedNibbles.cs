using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels.Packed;

/// <summary>What the formats with four-bit codes share: how nibbles are packed, and their products with AVX2.</summary>
internal static unsafe class PackedNibbles
{
    internal const int Bytes = PackedMatrix.GroupRows * 16;

    /// <summary>Sixteen bytes, element i low and element i + 16 high (as Q4_0 stores them), into the lane of one row.</summary>
    internal static void Put(byte* nibbles, int row, byte* target)
    {
        var source = (uint*)nibbles;
        uint* lane = (uint*)target + row;
        lane[0] = source[0];
        lane[PackedMatrix.GroupRows] = source[1];
        lane[2 * PackedMatrix.GroupRows] = source[2];
        lane[3 * PackedMatrix.GroupRows] = source[3];
    }

    /// <summary>
    /// Eight rows × one column. Sixteen products of up to 15 · 127 add up in 16 bits: 16 · 1905 = 30,480 fits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<int> Dot(byte* nibbles, byte* x)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        Vector256<short> lower = default;
        Vector256<short> upper = default;
        for (int v = 0; v < 4; v++)
        {
            Vector256<byte> both = Vector256.Load(nibbles + (64 * v));
            lower += Avx2.MultiplyAddAdjacent(both & mask, Broadcast(x + (4 * v)));
            upper += Avx2.MultiplyAddAdjacent((both.AsUInt16() >> 4).AsByte() & mask, Broadcast(x + 16 + (4 * v)));
        }

        return Avx2.MultiplyAddAdjacent(lower + upper, Vector256<short>.One);
    }

    /// <summary>Eight rows × four columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FourColumns Dot4(byte* nibbles, byte* x)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        Vector256<short> first = default;
        Vector256<short> second = default;
        Vector256<short> third = default;
        Vector256<short> fourth = default;
        for (int v = 0; v < 4; v++)
        {
            Vector256<byte> both = Vector256.Load(nibbles + (64 * v));
            Vector256<byte> lower = both & mask;
            byte* at = x + (4 * v);
            first += Avx2.MultiplyAddAdjacent(lower, Broadcast(at));
            second += Avx2.MultiplyAddAdjacent(lower, Broadcast(at + 32));
            third += Avx2.MultiplyAddAdjacent(lower, Broadcast(at + 64));
            fourth += Avx2.MultiplyAddAdjacent(lower, Broadcast(at + 96));
            Vector256<byte> upper = (both.AsUInt16() >> 4).AsByte() & mask;
            first += Avx2.MultiplyAddAdjacent(upper, Broadcast(at + 16));
            second += Avx2.MultiplyAddAdjacent(upper, Broadcast(at + 48));
            third += Avx2.MultiplyAddAdjacent(upper, Broadcast(at + 80));
            fourth += Avx2.MultiplyAddAdjacent(upper, Broadcast(at + 112));
        }

        Vector256<short> ones = Vector256<short>.One;
        return new(
            Avx2.MultiplyAddAdjacent(first, ones),
            Avx2.MultiplyAddAdjacent(second, ones),
            Avx2.MultiplyAddAdjacent(third, ones),
            Avx2.MultiplyAddAdjacent(fourth, ones));
    }

    /// <summary>
    /// Four products of codes with the activations at <paramref name="x"/> and four of other codes with those at <paramref name="y"/>, in
    /// each of eight rows. Codes are at most 63, so that four products fit 16 bits: 4 · 63 · 127 = 32,004.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<int> Eight(Vector256<byte> codes, byte* x, Vector256<byte> others, byte* y) => Avx2.MultiplyAddAdjacent(
        Avx2.MultiplyAddAdjacent(codes, Broadcast(x)) + Avx2.MultiplyAddAdjacent(others, Broadcast(y)), Vector256<short>.One);

    /// <summary>Four activations, in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<sbyte> Broadcast(byte* x) => Vector256.Create(*(int*)x).AsSByte();
}
