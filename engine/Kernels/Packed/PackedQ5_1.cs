using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// A least value that is added is a minimum of the other sign that is subtracted:
/// <code>unit: d f16 × 16 | −m f16 × 16 | five-bit codes 320</code>
/// </summary>
internal readonly unsafe struct PackedQ5_1 : IPackedFormat
{
    public static ElementType Type => ElementType.Q5_1;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 64 + PackedFiveBits.Bytes;

    public static void Pack(byte* block, int row, byte* target)
    {
        PackedRows.PutScaleAndLeast(block, row, target);
        PackedFiveBits.Put(block + 8, *(uint*)(block + 4), row, target + 64);
    }

    public static bool HasMins => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedRows.Halves(unit + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Mins(byte* header, byte* unit, int half) => PackedRows.Halves(unit + 32 + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column) =>
        PackedFiveBits.Dot(unit + 64 + (32 * half), x.Quants(column), default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column) =>
        PackedFiveBits.Dot4(unit + 64 + (32 * half), x.Quants(column), default);
}
