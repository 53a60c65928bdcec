using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
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
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedRows.Halves(header + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Mins(byte* header, byte* unit, int half) => PackedRows.Halves(header + 32 + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MinusSums(byte* unit, int half, in PanelBlock x, int column)
    {
        Vector256<int> lower = Avx2.ConvertToVector256Int32(unit + (8 * half)) >> 4;
        Vector256<int> upper = Avx2.ConvertToVector256Int32(unit + 16 + (8 * half)) >> 4;
        return (lower * Vector256.Create(x.MinusLower(column))) + (upper * Vector256.Create(x.MinusUpper(column)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column) =>
        PackedHalves<PackedQ2_K>.Dot(unit, half, x, column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column) =>
        PackedHalves<PackedQ2_K>.Dot4(unit, half, x, column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<int> Lower, Vector256<int> Upper) HalfScales(byte* unit, int half)
    {
        Vector256<int> mask = Vector256.Create(0xF);
        return (
            Avx2.ConvertToVector256Int32(unit + (8 * half)) & mask,
            Avx2.ConvertToVector256Int32(unit + 16 + (8 * half)) & mask);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(
        byte* unit, int half, int h, out Vector256<byte> a, out Vector256<byte> b, out Vector256<byte> c, out Vector256<byte> d)
    {
        Vector256<byte> mask = Vector256.Create((byte)3);
        Vector256<ushort> pairs = Vector256.Load(unit + 32 + (32 * half) + (64 * h)).AsUInt16();
        a = pairs.AsByte() & mask;
        b = (pairs >> 2).AsByte() & mask;
        c = (pairs >> 4).AsByte() & mask;
        d = (pairs >> 6).AsByte() & mask;
    }
}
