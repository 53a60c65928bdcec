using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary><code>unit: d f16 × 16 | eight vectors of signed bytes: lane r, byte j of vector v is element 4v + j</code></summary>
internal readonly unsafe struct PackedQ8_0 : IPackedFormat
{
    public static ElementType Type => ElementType.Q8_0;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 32 + (16 * 32);

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = *(ushort*)block;
        var source = (uint*)(block + 2);
        uint* lane = (uint*)(target + 32) + row;
        for (int vector = 0; vector < 8; vector++)
            lane[vector * 16] = source[vector];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedRows.Halves(unit + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column)
    {
        byte* quants = x.Quants(column);
        Vector256<int> sum = default;
        for (int v = 0; v < 8; v++)
            sum += Four(Vector256.Load((sbyte*)unit + 32 + (32 * half) + (64 * v)), quants + (4 * v));
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column)
    {
        byte* quants = x.Quants(column);
        FourColumns sum = default;
        for (int v = 0; v < 8; v++)
            sum += Columns(Vector256.Load((sbyte*)unit + 32 + (32 * half) + (64 * v)), quants + (4 * v));
        return sum;
    }

    /// <summary><see cref="Four"/> with each of four columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FourColumns Columns(Vector256<sbyte> codes, byte* x) =>
        new(Four(codes, x), Four(codes, x + 32), Four(codes, x + 64), Four(codes, x + 96));

    /// <summary>Four products of signed bytes: |code| · (±x), whose pairs fit 16 bits (2 · 128 · 127 = 32,512).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<int> Four(Vector256<sbyte> codes, byte* x) => Avx2.MultiplyAddAdjacent(
        Avx2.MultiplyAddAdjacent(Avx2.Abs(codes), Avx2.Sign(PackedNibbles.Broadcast(x), codes)), Vector256<short>.One);
}
