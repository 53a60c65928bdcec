using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// What the formats with five-bit codes share: <see cref="PackedNibbles"/>, and after them the fifth bits:
/// <code>
/// lane r, byte j:   bit v  element 4v + j      bit 4 + v  element 16 + 4v + j      v = 0…3
/// </code>
/// </summary>
internal static unsafe class PackedFiveBits
{
    internal const int Bytes = PackedNibbles.Bytes + HighBytes;

    /// <summary>Bytes of one bit of every code.</summary>
    internal const int HighBytes = PackedMatrix.GroupRows * 4;

    /// <summary>Sixteen bytes of low bits, as Q4_0 stores them, and bit i of element i, into the lane of one row.</summary>
    internal static void Put(byte* nibbles, uint fifth, int row, byte* target)
    {
        PackedNibbles.Put(nibbles, row, target);
        PutBits(fifth, row, target + PackedNibbles.Bytes);
    }

    /// <summary>One bit of each of 32 elements, bit i of element i.</summary>
    internal static void PutBits(uint bits, int row, byte* target)
    {
        // Byte j gathers every fourth bit from bit j on, by halving distances.
        for (int j = 0; j < 4; j++)
        {
            uint spread = (bits >> j) & 0x1111_1111;
            spread = (spread | (spread >> 3)) & 0x0303_0303;
            spread = (spread | (spread >> 6)) & 0x000F_000F;
            target[(row * 4) + j] = (byte)(spread | (spread >> 12));
        }
    }

    /// <summary>Bit <paramref name="bit"/> of 32 bytes, bit i of byte i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint BitOf(byte* bytes, int bit) => (Vector256.Load(bytes) << (7 - bit)).ExtractMostSignificantBits();

    /// <summary>Eight rows × one column, added to <paramref name="sum"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<int> Dot(byte* codes, byte* x, Vector256<int> sum)
    {
        for (int v = 0; v < 4; v++)
        {
            Codes(codes, v, out Vector256<byte> lower, out Vector256<byte> upper);
            sum += Eight(lower, upper, x + (4 * v));
        }

        return sum;
    }

    /// <summary>Eight rows × four columns, added to <paramref name="sum"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FourColumns Dot4(byte* codes, byte* x, FourColumns sum)
    {
        for (int v = 0; v < 4; v++)
        {
            Codes(codes, v, out Vector256<byte> lower, out Vector256<byte> upper);
            byte* at = x + (4 * v);
            sum += new FourColumns(
                Eight(lower, upper, at), Eight(lower, upper, at + 32), Eight(lower, upper, at + 64), Eight(lower, upper, at + 96));
        }

        return sum;
    }

    /// <summary>Eight codes of eight rows: elements 4v … and 16 + 4v …, 0 to 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Codes(byte* codes, int v, out Vector256<byte> lower, out Vector256<byte> upper)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        Vector256<byte> top = Vector256.Create((byte)0x10);
        Vector256<byte> both = Vector256.Load(codes + (64 * v));
        Vector256<ushort> fifth = Vector256.Load(codes + PackedNibbles.Bytes).AsUInt16();
        lower = (both & mask) | ((fifth << (4 - v)).AsByte() & top);
        upper = ((both.AsUInt16() >> 4).AsByte() & mask) | ((fifth >> v).AsByte() & top);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Eight(Vector256<byte> codes, Vector256<byte> others, byte* x) =>
        PackedNibbles.Eight(codes, x, others, x + 16);
}
