using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// <code>
/// header: d f16 × 16
/// unit:   scale of elements 0…15, i8 × 16 | of elements 16…31, i8 × 16 | low four bits as nibbles 256 | high two as pairs 128
/// </code>
/// </summary>
internal readonly unsafe struct PackedQ6_K : IPackedFormat, IHalvedUnit
{
    public static ElementType Type => ElementType.Q6_K;

    public static int Units => 8;

    public static int HeaderBytes => 32;

    public static int UnitBytes => 32 + PackedNibbles.Bytes + PackedPairs.Bytes;

    public static int Zero => 32;

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = *(ushort*)(block + 208);
        Vector128<byte> mask = Vector128.Create((byte)0xF);
        for (int s = 0; s < Units; s++)
        {
            byte* unit = target + HeaderBytes + (s * UnitBytes);
            unit[row] = block[192 + (2 * s)];
            unit[16 + row] = block[192 + (2 * s) + 1];

            // Sub-block s is part s mod 4 of half s / 4, as Q6_K draws them.
            int half = s / 4;
            int part = s % 4;
            byte* low = block + (half * 64) + (part % 2 * 32);
            byte* high = block + 128 + (half * 32);
            int shift = part / 2 * 4;
            Vector128<byte> lower = (Vector128.Load(low) >>> shift) & mask;
            Vector128<byte> upper = (Vector128.Load(low + 16) >>> shift) & mask;
            Vector128<byte> nibbles = lower | (upper << 4);
            PackedNibbles.Put((byte*)&nibbles, row, unit + 32);
            PackedPairs.Put(high, part * 2, row, unit + 32 + PackedNibbles.Bytes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => TRows.LoadHalves(header + (2 * row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedHalves<PackedQ6_K>.Dot<TRows, TColumns>(unit, row, x, column);

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
        TRows top = TRows.EveryByte(0x30);
        byte* nibbles = unit + 32 + (4 * row) + (128 * h);
        PackedNibbles.Split(nibbles, out a, out c);
        PackedNibbles.Split(nibbles + 64, out b, out d);
        TRows high = TRows.Load(unit + 32 + PackedNibbles.Bytes + (4 * row) + (64 * h));
        a |= (high << 4) & top;
        b |= (high << 2) & top;
        c |= high & top;
        d |= (high >>> 2) & top;
    }
}
