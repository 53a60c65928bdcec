using System.Runtime.CompilerServices;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// Scale (low nibble) and minimum (high nibble) of a half stay in one byte:
/// <code>
/// header: d f16 × 16 | dmin f16 × 16
/// unit:   scale and minimum of elements 0…15, × 16 | of elements 16…31, × 16 | pairs of bits 128
/// </code>
/// </summary>
internal readonly unsafe struct PackedQ2_K : IPackedFormat, IHalvedUnit
{
    public static ElementType Type => ElementType.Q2_K;

    public static int Units => 8;

    public static int HeaderBytes => 64;

    public static int UnitBytes => 32 + PackedPairs.Bytes;

    public static int Zero => 0;

    public static void Pack(byte* block, int row, byte* target)
    {
        PackedQ4_K.PutDeltas(block + 80, row, target);
        for (int s = 0; s < Units; s++)
        {
            byte* unit = target + HeaderBytes + (s * UnitBytes);
            unit[row] = block[2 * s];
            unit[16 + row] = block[(2 * s) + 1];
            PackedPairs.Put(block + 16 + (s / 4 * 32), s % 4 * 2, row, unit + 32);
        }
    }

    public static bool HasMins => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => TRows.LoadHalves(header + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Mins<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => TRows.LoadHalves(header + 32 + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows MinusSums<TRows>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
    {
        TRows lower = TRows.LoadBytes(unit + row) >>> 4;
        TRows upper = TRows.LoadBytes(unit + 16 + row) >>> 4;
        return (lower * TRows.Broadcast(*x.MinusLowers(column))) + (upper * TRows.Broadcast(*x.MinusUppers(column)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedHalves<PackedQ2_K>.Dot<TRows, TColumns>(unit, row, x, column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void HalfScales<TRows>(byte* unit, int row, out TRows lower, out TRows upper)
        where TRows : struct, IRowLanes<TRows>
    {
        TRows mask = TRows.EveryByte(0xF);
        lower = TRows.LoadBytes(unit + row) & mask;
        upper = TRows.LoadBytes(unit + 16 + row) & mask;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes<TRows>(byte* unit, int row, int h, out TRows a, out TRows b, out TRows c, out TRows d)
        where TRows : struct, IRowLanes<TRows>
    {
        PackedPairs.Split(unit + 32 + (4 * row) + (64 * h), out a, out b, out c, out d);
    }
}
