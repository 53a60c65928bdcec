using System.Reflection;
using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>Stores rows of keys and values, or of latents and rotary keys, at their positions in the cache.</summary>
internal static class StoreKernel
{
    internal static IEnumerable<MethodInfo> EntryPoints => [Of(Run<StoredF16>), Of(Run<StoredF32>)];

    /// <summary>A group for each row.</summary>
    /// <param name="keys">Rows of keys, or of latents with their rotary keys.</param>
    /// <param name="keyStride">Row to row of the keys.</param>
    /// <param name="keyColumns">Columns of a row of keys, even.</param>
    /// <param name="values">Rows of values; not read where <paramref name="keyColumns"/> are all.</param>
    /// <param name="valueStride">Row to row of the values.</param>
    /// <param name="rows">The rows' positions.</param>
    /// <param name="tables">The sequences' block numbers.</param>
    /// <param name="cache">The layer's cache <c>[blocks · 64, columns]</c>.</param>
    /// <param name="columns">Columns of a row of the cache, a multiple of eight: the keys', then the values'.</param>
    internal static void Run<TStored>(
        ArrayView<float> keys,
        int keyStride,
        int keyColumns,
        ArrayView<float> values,
        int valueStride,
        ArrayView<RowPlace> rows,
        ArrayView<int> tables,
        ArrayView<uint> cache,
        int columns)
        where TStored : struct, IStoredFloats
    {
        RowPlace row = rows[Grid.IdxX];
        long key = (long)Grid.IdxX * keyStride;
        long value = (long)Grid.IdxX * valueStride;
        long to = CachePlace.Of(tables, row, row.Position) * default(TStored).Words(columns);
        for (int column = 2 * Group.IdxX; column < keyColumns; column += 2 * Group.DimX)
            default(TStored).Store2(cache, to, column / 2, keys[key + column], keys[key + column + 1]);
        for (int column = 2 * Group.IdxX; column < columns - keyColumns; column += 2 * Group.DimX)
            default(TStored).Store2(cache, to, (keyColumns + column) / 2, values[value + column], values[value + column + 1]);
    }

    private static MethodInfo Of(
        Action<ArrayView<float>, int, int, ArrayView<float>, int, ArrayView<RowPlace>, ArrayView<int>, ArrayView<uint>, int> kernel) => kernel.Method;
}
