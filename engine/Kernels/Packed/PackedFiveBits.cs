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

    /// <summary>Sums of 32 products. Codes of a place add up to 4 · 31 = 124 at most in each half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TColumns Dot<TRows, TColumns>(byte* codes, byte* x)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows>
    {
        TRows fifth = TRows.Load(codes + PackedNibbles.Bytes);
        TColumns first = Two<TRows, TColumns>(codes, fifth << 4, fifth, x);
        TColumns second = Two<TRows, TColumns>(codes + 128, fifth << 2, fifth >>> 2, x + 8);
        return first.Whole() + second.Whole();
    }

    /// <summary>Sixteen products. The fifth bits of the first vector's codes stand at 4, those of the second's at 5.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TColumns Two<TRows, TColumns>(byte* codes, TRows lowerFifth, TRows upperFifth, byte* x)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows>
    {
        TRows top = TRows.EveryByte(0x10);
        PackedNibbles.Split(codes, out TRows lower, out TRows upper);
        TColumns partial = default(TColumns)
            .AddProducts(lower | (lowerFifth & top), x)
            .AddProducts(upper | (upperFifth & top), x + 16);
        PackedNibbles.Split(codes + 64, out lower, out upper);
        return partial
            .AddProducts(lower | ((lowerFifth >>> 1) & top), x + 4)
            .AddProducts(upper | ((upperFifth >>> 1) & top), x + 20);
    }
}
