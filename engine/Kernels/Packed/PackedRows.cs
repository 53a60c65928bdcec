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
}
