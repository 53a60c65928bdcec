using System.Runtime.CompilerServices;

namespace Pure.Engine.Kernels.Packed;

/// <summary>What the formats with four-bit codes share: how nibbles are packed, and their products.</summary>
internal static unsafe class PackedNibbles
{
    internal const int Bytes = PackedMatrix.GroupRows * 16;

    /// <summary>Sixteen bytes, element i low and element i + 16 high (as Q4_0 stores them), into the lane of one row.</summary>
    internal static void Put(byte* nibbles, int row, byte* target)
    {
        var source = (uint*)nibbles;
        uint* lane = (uint*)target + row;
        lane[0] = source[0];
        lane[PackedMatrix.GroupRows] = source[1];
        lane[2 * PackedMatrix.GroupRows] = source[2];
        lane[3 * PackedMatrix.GroupRows] = source[3];
    }

    /// <summary>Sums of 32 products. Codes of a place add up to 8 · 15 = 120 at most.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TColumns Dot<TRows, TColumns>(byte* nibbles, byte* x)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows>
    {
        TColumns partial = default;
        for (int v = 0; v < 4; v++)
        {
            Split(nibbles + (64 * v), out TRows lower, out TRows upper);
            partial = partial.AddProducts(lower, x + (4 * v)).AddProducts(upper, x + 16 + (4 * v));
        }

        return partial.Whole();
    }

    /// <summary>The low nibbles of a vector, and the high ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Split<TRows>(byte* nibbles, out TRows lower, out TRows upper)
        where TRows : struct, IRowLanes<TRows>
    {
        TRows mask = TRows.EveryByte(0xF);
        TRows both = TRows.Load(nibbles);
        lower = both & mask;
        upper = (both >>> 4) & mask;
    }
}
