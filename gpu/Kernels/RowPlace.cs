namespace Pure.Gpu.Kernels;

/// <summary>Where a batch's row stands in its sequence.</summary>
internal struct RowPlace
{
    /// <summary>Integers of a place.</summary>
    internal const int Size = 3;

    /// <summary>Its position.</summary>
    internal int Position;

    /// <summary>Where its sequence's block numbers begin among those of all sequences.</summary>
    internal int Table;

    /// <summary>The slot of its first span, where spans are cut.</summary>
    internal int Slot;
}
