using System.Runtime.CompilerServices;

namespace Pure.Engine.Kernels.Packed;

/// <summary>What the formats share whose four-bit codes, packed as <see cref="PackedNibbles"/>, name sixteen signed values.</summary>
internal static unsafe class PackedNamedValues
{
    /// <summary>Sums of 32 products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TColumns Dot<TRows, TColumns>(byte* nibbles, ReadOnlySpan<sbyte> values, byte* x)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows>
    {
        TRows table = TRows.Table(values);
        TColumns sums = default;
        for (int v = 0; v < 4; v++)
        {
            PackedNibbles.Split(nibbles + (64 * v), out TRows lower, out TRows upper);
            sums = sums
                .AddSignedProducts(TRows.LookUp(table, lower), x + (4 * v))
                .AddSignedProducts(TRows.LookUp(table, upper), x + 16 + (4 * v));
        }

        return sums;
    }
}
