using System.Runtime.CompilerServices;

namespace Pure.Engine.Kernels.Packed;

/// <summary>What stands once per row.</summary>
internal static unsafe class PackedRows
{
    /// <summary>A 16-bit float · an integer of each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TRows Times<TRows>(byte* halves, TRows integers)
        where TRows : struct, IRowLanes<TRows> =>
        TRows.MultiplyFloats(TRows.LoadHalves(halves), TRows.ToFloats(integers));

    /// <summary>d as it is and m negated, which follow each other at <paramref name="deltas"/>: <c>d × 16 | −m × 16</c>.</summary>
    internal static void PutScaleAndLeast(byte* deltas, int row, byte* target)
    {
        ((ushort*)target)[row] = ((ushort*)deltas)[0];
        ((ushort*)target)[16 + row] = (ushort)(((ushort*)deltas)[1] ^ 0x8000);
    }
}
