using System.Runtime.CompilerServices;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// The six-bit scales become signed bytes; the third bits stand as the fifth ones of <see cref="PackedFiveBits"/>:
/// <code>
/// header: d f16 × 16
/// unit:   scale of elements 0…15, i8 × 16 | of elements 16…31, i8 × 16 | pairs of bits 128 | third bits 64
/// </code>
/// </summary>
internal readonly unsafe struct PackedQ3_K : IPackedFormat, IHalvedUnit
{
    /// <summary>The third bits' place in a unit.</summary>
    internal const int ThirdBitsAt = 32 + PackedPairs.Bytes;

    public static ElementType Type => ElementType.Q3_K;

    public static int Units => 8;

    public static int HeaderBytes => 32;

    public static int UnitBytes => ThirdBitsAt + PackedFiveBits.HighBytes;

    public static int Zero => 4;

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = *(ushort*)(block + 108);
        for (int s = 0; s < Units; s++)
        {
            byte* unit = target + HeaderBytes + (s * UnitBytes);
            ((sbyte*)unit)[row] = (sbyte)Q3_K.Scale(block, 2 * s);
            ((sbyte*)unit)[16 + row] = (sbyte)Q3_K.Scale(block, (2 * s) + 1);
            PackedPairs.Put(block + 32 + (s / 4 * 32), s % 4 * 2, row, unit + 32);
            PackedFiveBits.PutBits(PackedFiveBits.BitOf(block, s), row, unit + ThirdBitsAt);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => TRows.LoadHalves(header + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedHalves<PackedQ3_K>.Dot<TRows, TColumns>(unit, row, x, column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void HalfScales<TRows>(byte* unit, int row, out TRows lower, out TRows upper)
        where TRows : struct, IRowLanes<TRows>
    {
        lower = TRows.LoadSignedBytes(unit + row);
        upper = TRows.LoadSignedBytes(unit + 16 + row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes<TRows>(byte* unit, int row, int h, out TRows a, out TRows b, out TRows c, out TRows d)
        where TRows : struct, IRowLanes<TRows>
    {
        TRows top = TRows.EveryByte(4);

        // Bits 2h and 2h + 1 of each byte belong to a and b, four bits further up those of c and d; all go to 2.
        TRows third = TRows.Load(unit + ThirdBitsAt + (4 * row)) >>> (2 * h);
        PackedPairs.Split(unit + 32 + (4 * row) + (64 * h), out a, out b, out c, out d);
        a |= (third << 2) & top;
        b |= (third << 1) & top;
        c |= (third >>> 2) & top;
        d |= (third >>> 3) & top;
    }
}
