using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>A matrix of weights <c>[rows, columns]</c> as stored: rows contiguous, one after the other.</summary>
internal readonly struct WeightMatrix
{
    internal WeightMatrix(ElementType type, NativeView data, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(data.Length % rows, 0L, nameof(data));
        Type = type;
        Data = data;
        Rows = rows;
        Columns = columns;
        RowBytes = data.Length / rows;
    }

    /// <summary>Rows that are <paramref name="rowBytes"/> apart, with or without other bytes between them.</summary>
    internal WeightMatrix(ElementType type, NativeView data, long rowBytes, int rows, int columns)
    {
        Type = type;
        Data = data;
        Rows = rows;
        Columns = columns;
        RowBytes = rowBytes;
    }

    internal ElementType Type { get; }

    internal NativeView Data { get; }

    internal int Rows { get; }

    internal int Columns { get; }

    internal long RowBytes { get; }

    /// <summary>Whether 8-bit activations may meet these weights; plain floats of any width always take float activations.</summary>
    internal bool IsQuantized => ElementFormat.Of(Type).IsQuantized;

    /// <summary>Rows <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1.</summary>
    internal WeightMatrix Slice(int first, int count) =>
        new(Type, Data.Slice(first * RowBytes, count * RowBytes), count, Columns);
}
