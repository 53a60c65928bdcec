using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// Scales and minima stand as in <see cref="PackedQ4_K"/>:
/// <code>
/// header: d f16 × 16 | dmin f16 × 16
/// unit:   scale u8 × 16 | minimum u8 × 16 | five-bit codes 320
/// </code>
/// </summary>
internal readonly unsafe struct PackedQ5_K : IPackedFormat
{
    public static ElementType Type => ElementType.Q5_K;

    public static int Units => 8;

    public static int HeaderBytes => 64;

    public static int UnitBytes => 32 + PackedFiveBits.Bytes;

    public static void Pack(byte* block, int row, byte* target)
    {
        PackedQ4_K.PutDeltas(block, row, target);
        for (int s = 0; s < Units; s++)
        {
            byte* unit = target + HeaderBytes + (s * UnitBytes);
            PackedQ4_K.PutScaleAndMin(block + 4, s, row, unit);
            Vector128<byte> nibbles = PackedQ4_K.Nibbles(block + 48, s);
            PackedFiveBits.Put((byte*)&nibbles, PackedFiveBits.BitOf(block + 16, s), row, unit + 32);
        }
    }

    public static bool HasMins => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => PackedQ4_K.Scales<TRows>(header, unit, row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRows Mins<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => PackedQ4_K.Mins<TRows>(header, unit, row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows> =>
        PackedFiveBits.Dot<TRows, TColumns>(unit + 32 + (4 * row), x.Quants(column));
}
