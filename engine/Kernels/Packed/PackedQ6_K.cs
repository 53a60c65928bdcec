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
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedRows.Halves(header + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column) =>
        PackedHalves<PackedQ6_K>.Dot(unit, half, x, column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column) =>
        PackedHalves<PackedQ6_K>.Dot4(unit, half, x, column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<int> Lower, Vector256<int> Upper) HalfScales(byte* unit, int half) =>
        (PackedRows.SignedBytes(unit + (8 * half)), PackedRows.SignedBytes(unit + 16 + (8 * half)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(
        byte* unit, int half, int h, out Vector256<byte> a, out Vector256<byte> b, out Vector256<byte> c, out Vector256<byte> d)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        Vector256<byte> top = Vector256.Create((byte)0x30);
        byte* low = unit + 32 + (32 * half) + (128 * h);
        Vector256<byte> first = Vector256.Load(low);
        Vector256<byte> second = Vector256.Load(low + 64);
        Vector256<ushort> high = Vector256.Load(unit + 32 + PackedNibbles.Bytes + (32 * half) + (64 * h)).AsUInt16();
        a = (first & mask) | ((high << 4).AsByte() & top);
        b = (second & mask) | ((high << 2).AsByte() & top);
        c = ((first.AsUInt16() >> 4).AsByte() & mask) | (high.AsByte() & top);
        d = ((second.AsUInt16() >> 4).AsByte() & mask) | ((high >> 2).AsByte() & top);
    }
}
