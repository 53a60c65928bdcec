using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// <code>
/// unit: d f16 × 16 | low four bits as nibbles 256 | fifth bits 64
///
/// the fifth bits, lane r, byte j:   bit v  element 4v + j      bit 4 + v  element 16 + 4v + j      v = 0…3
/// </code>
/// </summary>
internal readonly unsafe struct PackedQ5_0 : IPackedFormat
{
    public static ElementType Type => ElementType.Q5_0;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 32 + PackedNibbles.Bytes + 64;

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = *(ushort*)block;
        PackedNibbles.Put(block + 6, row, target + 32);
        uint fifth = *(uint*)(block + 2);
        byte* bits = target + 32 + PackedNibbles.Bytes + (row * 4);
        for (int j = 0; j < 4; j++)
        {
            int packed = 0;
            for (int v = 0; v < 8; v++)
                packed |= (int)((fifth >> ((4 * v) + j)) & 1) << v;
            bits[j] = (byte)packed;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedRows.Halves(unit + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column)
    {
        byte* quants = x.Quants(column);
        Vector256<int> sum = Vector256.Create(16 * x.MinusSum(column));
        for (int v = 0; v < 4; v++)
        {
            Codes(unit, half, v, out Vector256<byte> lower, out Vector256<byte> upper);
            sum += Eight(lower, upper, quants + (4 * v));
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column)
    {
        byte* quants = x.Quants(column);
        FourColumns sum = x.MinusSums(16, column);
        for (int v = 0; v < 4; v++)
        {
            Codes(unit, half, v, out Vector256<byte> lower, out Vector256<byte> upper);
            byte* at = quants + (4 * v);
            sum += new FourColumns(
                Eight(lower, upper, at), Eight(lower, upper, at + 32), Eight(lower, upper, at + 64), Eight(lower, upper, at + 96));
        }

        return sum;
    }

    /// <summary>Eight codes of eight rows: elements 4v … and 16 + 4v …, 0 to 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Codes(byte* unit, int half, int v, out Vector256<byte> lower, out Vector256<byte> upper)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        Vector256<byte> top = Vector256.Create((byte)0x10);
        Vector256<byte> both = Vector256.Load(unit + 32 + (32 * half) + (64 * v));
        Vector256<ushort> fifth = Vector256.Load(unit + 32 + PackedNibbles.Bytes + (32 * half)).AsUInt16();
        lower = (both & mask) | ((fifth << (4 - v)).AsByte() & top);
        upper = ((both.AsUInt16() >> 4).AsByte() & mask) | ((fifth >> v).AsByte() & top);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Eight(Vector256<byte> codes, Vector256<byte> others, byte* x) =>
        PackedNibbles.Eight(codes, x, others, x + 16);
}
