using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// The six-bit scales and minima become bytes, which costs an eighth of a bit per weight:
/// <code>
/// header: d f16 × 16 | dmin f16 × 16
/// unit:   scale u8 × 16 | minimum u8 × 16 | nibbles 256
/// </code>
/// </summary>
internal readonly unsafe struct PackedQ4_K : IPackedFormat
{
    public static ElementType Type => ElementType.Q4_K;

    public static int Units => 8;

    public static int HeaderBytes => 64;

    public static int UnitBytes => 32 + PackedNibbles.Bytes;

    public static void Pack(byte* block, int row, byte* target)
    {
        PutDeltas(block, row, target);
        for (int s = 0; s < Units; s++)
        {
            byte* unit = target + HeaderBytes + (s * UnitBytes);
            PutScaleAndMin(block + 4, s, row, unit);
            Vector128<byte> nibbles = Nibbles(block + 16, s);
            PackedNibbles.Put((byte*)&nibbles, row, unit + 32);
        }
    }

    public static bool HasMins => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> =>
        PackedRows.Times<TRows>(header + (2 * row), TRows.LoadBytes(unit + row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Mins<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> =>
        PackedRows.Times<TRows>(header + 32 + (2 * row), TRows.LoadBytes(unit + 16 + row));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedNibbles.Dot<TRows, TColumns>(unit + 32 + (4 * row), x.Quants(column));

    /// <summary>d and dmin, which follow each other at <paramref name="deltas"/>.</summary>
    internal static void PutDeltas(byte* deltas, int row, byte* header)
    {
        ((ushort*)header)[row] = ((ushort*)deltas)[0];
        ((ushort*)header)[16 + row] = ((ushort*)deltas)[1];
    }

    internal static void PutScaleAndMin(byte* packed, int s, int row, byte* unit)
    {
        (int scale, int min) = Q4_K.ScaleAndMin(packed, s);
        unit[row] = (byte)scale;
        unit[16 + row] = (byte)min;
    }

    /// <summary>The low four bits of sub-block <paramref name="s"/>, as Q4_0 stores them: even ones are the low nibbles of 32 bytes, odd ones the high.</summary>
    internal static Vector128<byte> Nibbles(byte* packed, int s)
    {
        Vector128<byte> mask = Vector128.Create((byte)0xF);
        Vector128<byte> lower = Vector128.Load(packed + (s / 2 * 32));
        Vector128<byte> upper = Vector128.Load(packed + (s / 2 * 32) + 16);
        return s % 2 == 0 ? (lower & mask) | ((upper & mask) << 4) : (lower >>> 4) | (upper & ~mask);
    }
}
