using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels.Packed;

/// <summary>What stands once per row, for eight rows.</summary>
internal static unsafe class PackedRows
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Halves(byte* eight) => Lanes256.WidenHalf(Avx2.ConvertToVector256Int32((ushort*)eight));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Bytes(byte* eight) => Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(eight));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<int> SignedBytes(byte* eight) => Avx2.ConvertToVector256Int32((sbyte*)eight);

    /// <summary>d as it is and m negated, which follow each other at <paramref name="deltas"/>: <c>d × 16 | −m × 16</c>.</summary>
    internal static void PutScaleAndLeast(byte* deltas, int row, byte* target)
    {
        ((ushort*)target)[row] = ((ushort*)deltas)[0];
        ((ushort*)target)[16 + row] = (ushort)(((ushort*)deltas)[1] ^ 0x8000);
    }
}
