namespace Pure.Gpu.Kernels;

/// <summary>The codes of 32 weights, four bytes in each int.</summary>
internal readonly struct Codes32(int c0, int c1, int c2, int c3, int c4, int c5, int c6, int c7)
{
    internal readonly int C0 = c0;
    internal readonly int C1 = c1;
    internal readonly int C2 = c2;
    internal readonly int C3 = c3;
    internal readonly int C4 = c4;
    internal readonly int C5 = c5;
    internal readonly int C6 = c6;
    internal readonly int C7 = c7;
}

/// <summary>How the codes of a block of 32 weights lie in <see cref="WeightView.Codes"/>.</summary>
internal interface IBlockCodes
{
    /// <summary>The codes of block <paramref name="block"/> of all blocks of the matrix.</summary>
    Codes32 Load(WeightView weights, long block);
}

/// <summary>A byte each, signed.</summary>
internal readonly struct ByteCodes : IBlockCodes
{
    public Codes32 Load(WeightView weights, long block)
    {
        Quad low = weights.Codes[block * 2];
        Quad high = weights.Codes[(block * 2) + 1];
        return new(low.X, low.Y, low.Z, low.W, high.X, high.Y, high.Z, high.W);
    }
}

/// <summary>Four bits each, 0 to 15: byte j holds code j in its low half and code j + 16 in its high.</summary>
internal readonly struct NibbleCodes : IBlockCodes
{
    private const int Low = 0x0F0F0F0F;

    public Codes32 Load(WeightView weights, long block)
    {
        Quad q = weights.Codes[block];
        return new(q.X & Low, q.Y & Low, q.Z & Low, q.W & Low, (q.X >> 4) & Low, (q.Y >> 4) & Low, (q.Z >> 4) & Low, (q.W >> 4) & Low);
    }
}
