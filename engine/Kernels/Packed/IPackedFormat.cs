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

    /// <summary>The factors of the rows from <paramref name="row"/> on.</summary>
    static abstract TRows Scales<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows>;

    /// <summary>The minima of the rows from <paramref name="row"/> on.</summary>
    static virtual TRows Mins<TRows>(byte* header, byte* unit, int row)
        where TRows : struct, IRowLanes<TRows> => default;

    /// <summary>What the minima multiply, negated: the sum of a column's activations, or whatever else rows make of them.</summary>
    static virtual TRows MinusSums<TRows>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows> => TRows.Broadcast(*x.MinusSums(column));

    /// <summary>Integer sums of the rows from <paramref name="row"/> on with the columns from <paramref name="column"/> on.</summary>
    static abstract TColumns Dot<TRows, TColumns>(byte* unit, int row, in PanelBlock x, int column)
        where TRows : struct, IRowLanes<TRows>
        where TColumns : struct, IColumns<TColumns, TRows>;
}
