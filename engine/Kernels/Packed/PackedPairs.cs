using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// Two bits of each of 32 elements of sixteen rows:
/// <code>
/// vector h = 0, 1, lane r, byte j:
///   bits 1 0  element 8h + j        bits 5 4  element 16 + 8h + j
///   bits 3 2  element 8h + 4 + j    bits 7 6  element 16 + 8h + 4 + j
/// </code>
/// </summary>
internal static unsafe class PackedPairs
{
    internal const int Bytes = PackedMatrix.GroupRows * 8;

    /// <summary>Bits <paramref name="shift"/> and the next of 32 bytes into the lane of one row.</summary>
    internal static void Put(byte* bytes, int shift, int row, byte* target)
    {
        Vector128<byte> two = Vector128.Create((byte)3);
        Vector128<uint> lower = ((Vector128.Load(bytes) >>> shift) & two).AsUInt32();
        Vector128<uint> upper = ((Vector128.Load(bytes + 16) >>> shift) & two).AsUInt32();
        uint* lane = (uint*)target + row;
        lane[0] = lower[0] | (lower[1] << 2) | (upper[0] << 4) | (upper[1] << 6);
        lane[PackedMatrix.GroupRows] = lower[2] | (lower[3] << 2) | (upper[2] << 4) | (upper[3] << 6);
    }

    /// <summary>The pairs of one vector: elements 8h … (a), 8h + 4 … (b), 16 + 8h … (c), 20 + 8h … (d).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Split<TRows>(byte* pairs, out TRows a, out TRows b, out TRows c, out TRows d)
        where TRows : struct, IRowLanes<TRows>
    {
        TRows mask = TRows.EveryByte(3);
        TRows all = TRows.Load(pairs);
        a = all & mask;
        b = (all >>> 2) & mask;
        c = (all >>> 4) & mask;
        d = (all >>> 6) & mask;
    }
}
