namespace Pure.Gpu.Kernels;

/// <summary>Where heads read and write. Sizes and strides in elements.</summary>
internal struct HeadMatVecShape
{
    /// <summary>Rows of the batch.</summary>
    internal int Rows;

    /// <summary>Rows of a head's matrix.</summary>
    internal int Outputs;

    /// <summary>Columns of a head's matrix.</summary>
    internal int Inputs;

    /// <summary>Row to row of the input.</summary>
    internal int XStride;

    /// <summary>Head to head in a row of the input.</summary>
    internal int XHead;

    /// <summary>Row to row of the output.</summary>
    internal int YStride;

    /// <summary>Head to head in a row of the output.</summary>
    internal int YHead;

    /// <summary>Lanes that share a dot product: a power of two.</summary>
    internal int DotLanes;
}
