using Pure.Engine.Memory;

namespace Pure.Engine.Kernels;

/// <summary>Some consecutive positions of the key/value cache: <c>[count, columns]</c>, rows <see cref="Stride"/> elements apart.</summary>
/// <param name="Data">First byte of the first row's first column.</param>
/// <param name="IsHalf">Elements are 16-bit floats; otherwise 32-bit.</param>
/// <param name="Stride">Elements from one position to the next.</param>
/// <param name="Columns">Elements read of each position.</param>
/// <param name="Count">Number of positions.</param>
internal readonly record struct CacheRows(NativeView Data, bool IsHalf, int Stride, int Columns, int Count);
