using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary><code>unit: d f16 × 16 | five-bit codes 320</code></summary>
internal readonly unsafe struct PackedQ5_0 : IPackedFormat
{
    public static ElementType Type => ElementType.Q5_0;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 32 + PackedFiveBits.Bytes;

    public static void Pack(byte* block, int row, byte* target)
    {
        ((ushort*)target)[row] = *(ushort*)block;
        PackedFiveBits.Put(block + 6, *(uint*)(block + 2), row, target + 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedRows.Halves(unit + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column) =>
        PackedFiveBits.Dot(unit + 32 + (32 * half), x.Quants(column), Vector256.Create(16 * x.MinusSum(column)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column) =>
        PackedFiveBits.Dot4(unit + 32 + (32 * half), x.Quants(column), x.MinusSums(16, column));
}
