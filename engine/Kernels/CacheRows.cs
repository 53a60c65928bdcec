using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>Some consecutive positions of the key/value cache: <c>[count, columns]</c>, rows <see cref="Stride"/> elements apart.</summary>
/// <param name="Data">First byte of the first row's first column.</param>
/// <param name="Type">How elements are stored.</param>
/// <param name="Stride">Elements from one position to the next: whole blocks of the type.</param>
/// <param name="Columns">Elements read of each position: whole blocks of the type.</param>
/// <param name="Count">Number of positions.</param>
internal readonly record struct CacheRows(NativeView Data, ElementType Type, int Stride, int Columns, int Count)
{
    /// <summary>Bytes from one position to the next.</summary>
    internal long RowBytes => ElementFormat.Of(Type).RowBytes(Stride);

    /// <summary>The positions from <paramref name="first"/> on.</summary>
    internal CacheRows From(int first) => Part(first, Count - first);

    /// <summary><paramref name="count"/> positions from <paramref name="first"/> on.</summary>
    internal CacheRows Part(int first, int count) => this with
    {
        Data = Data.Slice(first * RowBytes, count == 0 ? 0 : ((count - 1) * RowBytes) + ElementFormat.Of(Type).RowBytes(Columns)),
        Count = count,
    };
}
