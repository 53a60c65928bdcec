using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
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
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedRows.Halves(header + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column) =>
        PackedHalves<PackedQ3_K>.Dot(unit, half, x, column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column) =>
        PackedHalves<PackedQ3_K>.Dot4(unit, half, x, column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<int> Lower, Vector256<int> Upper) HalfScales(byte* unit, int half) =>
        (PackedRows.SignedBytes(unit + (8 * half)), PackedRows.SignedBytes(unit + 16 + (8 * half)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(
        byte* unit, int half, int h, out Vector256<byte> a, out Vector256<byte> b, out Vector256<byte> c, out Vector256<byte> d)
    {
        Vector256<byte> mask = Vector256.Create((byte)3);
        Vector256<byte> top = Vector256.Create((byte)4);
        Vector256<ushort> pairs = Vector256.Load(unit + 32 + (32 * half) + (64 * h)).AsUInt16();

        // Bits 2h and 2h + 1 of each byte belong to a and b, four bits further up those of c and d; all go to 2.
        Vector256<ushort> third = Vector256.Load(unit + ThirdBitsAt + (32 * half)).AsUInt16() >> (2 * h);
        a = (pairs.AsByte() & mask) | ((third << 2).AsByte() & top);
        b = ((pairs >> 2).AsByte() & mask) | ((third << 1).AsByte() & top);
        c = ((pairs >> 4).AsByte() & mask) | ((third >> 2).AsByte() & top);
        d = ((pairs >> 6).AsByte() & mask) | ((third >> 3).AsByte() & top);
    }
}
