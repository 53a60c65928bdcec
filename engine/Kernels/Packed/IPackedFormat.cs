using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Packed;

/// <summary>
/// How sixteen rows of a quantised matrix stand side by side, one lane per row, so that the definition's order (block after block) costs
/// one fused multiply-add for all of them. What a row stores stays as it is, to the bit; only its place changes.
/// </summary>
/// <remarks>
/// A unit is one sub-block of 32 elements of the sixteen rows. Dword lane r of a 64-byte vector holds four consecutive elements of row r,
/// which meet one dword of the activations, broadcast. Codes of four bits stand as
/// <code>
/// vector v = 0…3, lane r, byte j:   low nibble element 4v + j,   high nibble element 16 + 4v + j
/// </code>
/// </remarks>
internal unsafe interface IPackedFormat
{
    /// <summary>What is packed.</summary>
    static abstract ElementType Type { get; }

    /// <summary>Units per block: 1, or the 8 sub-blocks of a K-quant.</summary>
    static abstract int Units { get; }

    /// <summary>Bytes before a block's units: what they share.</summary>
    static abstract int HeaderBytes { get; }

    static abstract int UnitBytes { get; }

    /// <summary>Packs one block of one row.</summary>
    /// <param name="block">As stored in the file.</param>
    /// <param name="row">Which of the sixteen.</param>
    /// <param name="target">The packed block.</param>
    static abstract void Pack(byte* block, int row, byte* target);

    /// <summary>Each sub-block subtracts a minimum.</summary>
    static virtual bool HasMins => false;

    /// <summary>The factors of eight rows' sub-block, with AVX2: rows 0 to 7 for <paramref name="half"/> 0, 8 to 15 for 1.</summary>
    static abstract Vector256<float> Scales(byte* header, byte* unit, int half);

    /// <summary>The minima of eight rows' sub-block.</summary>
    static virtual Vector256<float> Mins(byte* header, byte* unit, int half) => default;

    /// <summary>What the minima multiply, negated: the sum of a column's activations, or whatever else eight rows make of them.</summary>
    static virtual Vector256<int> MinusSums(byte* unit, int half, in PanelBlock x, int column) => Vector256.Create(x.MinusSum(column));

    /// <summary>Eight rows' integer sums of one sub-block with one column of a panel.</summary>
    static abstract Vector256<int> Dot(byte* unit, int half, in PanelBlock x, int column);

    /// <summary>The same with four columns from <paramref name="column"/> on.</summary>
    static abstract FourColumns Dot4(byte* unit, int half, in PanelBlock x, int column);
}

/// <summary>Eight rows' integer sums with four columns.</summary>
internal readonly struct FourColumns(Vector256<int> first, Vector256<int> second, Vector256<int> third, Vector256<int> fourth)
{
    internal readonly Vector256<int> First = first;
    internal readonly Vector256<int> Second = second;
    internal readonly Vector256<int> Third = third;
    internal readonly Vector256<int> Fourth = fourth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns operator +(FourColumns left, FourColumns right) => new(
        left.First + right.First, left.Second + right.Second, left.Third + right.Third, left.Fourth + right.Fourth);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns operator *(FourColumns left, Vector256<int> right) => new(
        left.First * right, left.Second * right, left.Third * right, left.Fourth * right);
}
