namespace Pure.Gpu.Kernels;

/// <summary>A span of a batch's row, which has a slot of its own where spans are cut.</summary>
internal struct SpanPlace
{
    /// <summary>Integers of a place.</summary>
    internal const int Size = 2;

    /// <summary>The row.</summary>
    internal int Row;

    /// <summary>The span's number: it begins at position number · <see cref="AttentionKernel.SpanPositions"/>.</summary>
    internal int Span;
}
