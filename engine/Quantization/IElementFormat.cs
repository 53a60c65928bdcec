namespace Pure.Engine.Quantization;

/// <summary>A way to store the elements of a row. One implementing type per file, with its layout.</summary>
internal unsafe interface IElementFormat
{
    static abstract ElementType Type { get; }

    /// <summary>Elements per block; 1 for plain floats.</summary>
    static abstract int BlockSize { get; }

    /// <summary>Bytes per block.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>
    /// Widens <paramref name="count"/> elements (a whole number of blocks) to float32. Every multiplication and subtraction is
    /// rounded apart, in the order written: these bits are the meaning of the type.
    /// </summary>
    static abstract void Dequantize(byte* source, float* destination, long count);
}

/// <summary>A block type whose rows are multiplied with activations of 8 bits.</summary>
internal unsafe interface IQuantizedFormat : IElementFormat
{
    /// <summary>
    /// The dot product of a row with a row of <see cref="Q8Activations"/>. This loop is the definition: vector and repacked paths
    /// must give its bits. Integer sums inside a block are exact; blocks follow each other strictly, one fused multiply-add each.
    /// </summary>
    /// <param name="row">The weights, <c>columns / BlockSize</c> blocks.</param>
    /// <param name="quants">Activations <c>[columns]</c>, -127 to 127.</param>
    /// <param name="scales">Their scales <c>[columns / 32]</c>.</param>
    /// <param name="sums">Sums of the quants <c>[columns / 32]</c>.</param>
    /// <param name="columns">Length of the row, a multiple of <see cref="IElementFormat.BlockSize"/>.</param>
    static abstract float Dot(byte* row, sbyte* quants, float* scales, int* sums, int columns);
}
