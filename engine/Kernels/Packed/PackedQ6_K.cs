using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// <code>
/// header: d f16 × 16
/// unit:   scale of elements 0…15, i8 × 16 | of elements 16…31, i8 × 16 | low four bits as nibbles 256 | high two bits 128
///
/// the high bits, vector h = 0, 1, lane r, byte j:
///   bits 1 0  element 8h + j        bits 5 4  element 16 + 8h + j
///   bits 3 2  element 8h + 4 + j    bits 7 6  element 16 + 8h + 4 + j
/// </code>
/// </summary>
internal readonly unsafe struct PackedQ6_K : IPackedFormat
{
    public static ElementType Type => ElementType.Q6_K;

    public static int Units => 8;

    public static int HeaderBytes => 32;

    public static int UnitBytes => 32 + PackedNibbles.Bytes + 128;

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = *(ushort*)(block + 208);
        Vector128<byte> mask = Vector128.Create((byte)0xF);
        Vector128<byte> two = Vector128.Create((byte)3);
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

            Vector128<uint> lowerHigh = ((Vector128.Load(high) >>> (part * 2)) & two).AsUInt32();
            Vector128<uint> upperHigh = ((Vector128.Load(high + 16) >>> (part * 2)) & two).AsUInt32();
            for (int h = 0; h < 2; h++)
            {
                ((uint*)(unit + 32 + PackedNibbles.Bytes + (h * 64)))[row] =
                    lowerHigh[2 * h] | (lowerHigh[(2 * h) + 1] << 2) | (upperHigh[2 * h] << 4) | (upperHigh[(2 * h) + 1] << 6);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedRows.Halves(header + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column)
    {
        byte* quants = x.Quants(column);
        Vector256<int> lower = Vector256.Create(32 * x.MinusLower(column));
        Vector256<int> upper = Vector256.Create(32 * x.MinusUpper(column));
        for (int h = 0; h < 2; h++)
        {
            Codes(unit, half, h, out Vector256<byte> a, out Vector256<byte> b, out Vector256<byte> c, out Vector256<byte> d);
            lower += Eight(a, b, quants + (8 * h));
            upper += Eight(c, d, quants + 16 + (8 * h));
        }

        return (lower * HalfScales(unit, half)) + (upper * HalfScales(unit + 16, half));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column)
    {
        byte* quants = x.Quants(column);
        FourColumns lower = x.MinusLowers(32, column);
        FourColumns upper = x.MinusUppers(32, column);
        for (int h = 0; h < 2; h++)
        {
            Codes(unit, half, h, out Vector256<byte> a, out Vector256<byte> b, out Vector256<byte> c, out Vector256<byte> d);
            byte* at = quants + (8 * h);
            lower += new FourColumns(Eight(a, b, at), Eight(a, b, at + 32), Eight(a, b, at + 64), Eight(a, b, at + 96));
            upper += new FourColumns(Eight(c, d, at + 16), Eight(c, d, at + 48), Eight(c, d, at + 80), Eight(c, d, at + 112));
        }

        return (lower * HalfScales(unit, half)) + (upper * HalfScales(unit + 16, half));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> HalfScales(byte* scales, int half) => Avx2.ConvertToVector256Int32((sbyte*)scales + (8 * half));

    /// <summary>Sixteen codes of eight rows: elements 8h … (a), 8h + 4 … (b), 16 + 8h … (c), 20 + 8h … (d), 0 to 63.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Codes(
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Eight(Vector256<byte> codes, Vector256<byte> others, byte* x) =>
        PackedNibbles.Eight(codes, x, others, x + 4);
}
