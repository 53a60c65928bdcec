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
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedQ4_K.Scales(header, unit, half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Mins(byte* header, byte* unit, int half) => PackedQ4_K.Mins(header, unit, half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column) =>
        PackedFiveBits.Dot(unit + 32 + (32 * half), x.Quants(column), default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column) =>
        PackedFiveBits.Dot4(unit + 32 + (32 * half), x.Quants(column), default);
}
