using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels.Packed;

/// <summary>How 256 bits multiply bytes.</summary>
internal interface IByteProducts
{
    /// <inheritdoc cref="IRowLanes{TSelf}.AddProducts"/>
    static abstract Vector256<int> Add(Vector256<int> partial, Vector256<byte> codes, Vector256<sbyte> x);

    /// <inheritdoc cref="IRowLanes{TSelf}.Whole"/>
    static abstract Vector256<int> Whole(Vector256<int> partial);

    /// <summary>Adds the four products in each lane, whose sums of two fit 16 bits, to 32-bit integers.</summary>
    static abstract Vector256<int> AddWhole(Vector256<int> sums, Vector256<byte> codes, Vector256<sbyte> x);
}

/// <summary>AVX2: products are added up in pairs of 16 bits.</summary>
internal readonly struct PairedProducts : IByteProducts
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> partial, Vector256<byte> codes, Vector256<sbyte> x) =>
        (partial.AsInt16() + Avx2.MultiplyAddAdjacent(codes, x)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Whole(Vector256<int> partial) => Avx2.MultiplyAddAdjacent(partial.AsInt16(), Vector256<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddWhole(Vector256<int> sums, Vector256<byte> codes, Vector256<sbyte> x) =>
        sums + Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(codes, x), Vector256<short>.One);
}

/// <summary>AVX-VNNI: four products and their sum are one instruction.</summary>
internal readonly struct VnniProducts : IByteProducts
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> partial, Vector256<byte> codes, Vector256<sbyte> x) =>
        AvxVnni.MultiplyWideningAndAdd(partial, codes, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Whole(Vector256<int> partial) => partial;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddWhole(Vector256<int> sums, Vector256<byte> codes, Vector256<sbyte> x) => Add(sums, codes, x);
}
