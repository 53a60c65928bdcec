using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>Some consecutive positions of the key/value cache: <c>[count, columns]</c>, rows <see cref="RowBytes"/> apart.</summary>
/// <param name="Data">First byte of the first row's first column.</param>
/// <param name="Type">How elements are stored.</param>
/// <param name="RowBytes">Bytes from one position to the next.</param>
/// <param name="Columns">Elements read of each position: whole blocks of the type.</param>
/// <param name="Count">Number of positions.</param>
internal readonly record struct CacheRows(NativeView Data, ElementType Type, long RowBytes, int Columns, int Count)
{
    /// <summary>Rows <paramref name="stride"/> elements apart, which are whole blocks of the type.</summary>
    internal static CacheRows Apart(NativeView data, ElementType type, int stride, int columns, int count) =>
        new(data, type, ElementFormat.Of(type).RowBytes(stride), columns, count);

    /// <summary>The positions from <paramref name="first"/> on.</summary>
    internal CacheRows From(int first) => Part(first, Count - first);

    /// <summary><paramref name="count"/> positions from <paramref name="first"/> on.</summary>
    internal CacheRows Part(int first, int count) => this with
    {
        Data = Data.Slice(first * RowBytes, count == 0 ? 0 : ((count - 1) * RowBytes) + ElementFormat.Of(Type).RowBytes(Columns)),
        Count = count,
    };
}
