using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary><code>unit: d f16 × 16 | nibbles 256</code></summary>
internal readonly unsafe struct PackedIQ4_NL : IPackedFormat
{
    public static ElementType Type => ElementType.IQ4_NL;

    public static int Units => 1;

    public static int HeaderBytes => 0;

    public static int UnitBytes => 32 + PackedNibbles.Bytes;

    public static void Pack(byte* block, int row, byte* target) => PackedQ4_0.Pack(block, row, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* header, byte* unit, int half) => PackedRows.Halves(unit + (16 * half));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column) =>
        PackedNamedValues.Dot(unit + 32 + (32 * half), IQ4_NL.Values, x.Quants(column));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column) =>
        PackedNamedValues.Dot4(unit + 32 + (32 * half), IQ4_NL.Values, x.Quants(column));
}
