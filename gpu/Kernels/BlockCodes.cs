using ILGPU;

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

    /// <summary>Of those, codes 4 · <paramref name="part"/> and the next three, and the four that come sixteen later.</summary>
    Pair LoadPart(WeightView weights, long block, int part);
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

    public Pair LoadPart(WeightView weights, long block, int part)
    {
        ArrayView<int> codes = weights.Codes.Cast<int>();
        return new(codes[(block * 8) + part], codes[(block * 8) + 4 + part]);
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

    public Pair LoadPart(WeightView weights, long block, int part)
    {
        int q = weights.Codes.Cast<int>()[(block * 4) + part];
        return new(q & Low, (q >> 4) & Low);
    }
}

/// <summary>
/// Six bits each, of which 32 count as zero: four as in <see cref="NibbleCodes"/>, and two in <see cref="WeightView.High"/>, where bits 2k and
/// 2k + 1 of byte i of X belong to code 4k + i, and of Y to code 16 + 4k + i.
/// </summary>
internal readonly struct SixBitCodes : IBlockCodes
{
    private const int Low = 0x0F0F0F0F;
    private const int Two = 0x03030303;

    public Codes32 Load(WeightView weights, long block)
    {
        Quad q = weights.Codes[block];
        Pair h = weights.High[block];
        return new(
            Code(q.X, h.X),
            Code(q.Y, h.X >> 2),
            Code(q.Z, h.X >> 4),
            Code(q.W, h.X >> 6),
            Code(q.X >> 4, h.Y),
            Code(q.Y >> 4, h.Y >> 2),
            Code(q.Z >> 4, h.Y >> 4),
            Code(q.W >> 4, h.Y >> 6));
    }

    public Pair LoadPart(WeightView weights, long block, int part)
    {
        int q = weights.Codes.Cast<int>()[(block * 4) + part];
        Pair h = weights.High[block];
        return new(Code(q, h.X >> (2 * part)), Code(q >> 4, h.Y >> (2 * part)));
    }

    private static int Code(int low, int high) => MinusThirtyTwo((low & Low) | ((high & Two) << 4));

    /// <summary>Four bytes from 0 to 63 less 32 each: the uppermost bits, set for a moment, keep borrows inside their bytes.</summary>
    private static int MinusThirtyTwo(int bytes) => ((bytes | unchecked((int)0x80808080)) - 0x20202020) ^ unchecked((int)0x80808080);
}

/// <summary>
/// Four bits each that name one of sixteen values: nibble i of int k, of the four of a block, is code 8k + i.
/// </summary>
internal readonly struct NamedCodes<TValues, TMath> : IBlockCodes
    where TValues : struct, ISixteenValues
    where TMath : struct, IByteMath
{
    public Codes32 Load(WeightView weights, long block)
    {
        Quad q = weights.Codes[block];
        return new(Values(q.X), Values(q.X >> 16), Values(q.Y), Values(q.Y >> 16), Values(q.Z), Values(q.Z >> 16), Values(q.W), Values(q.W >> 16));
    }

    public Pair LoadPart(WeightView weights, long block, int part)
    {
        ArrayView<int> codes = weights.Codes.Cast<int>();
        int shift = part % 2 * 16;
        return new(Values(codes[(block * 4) + (part / 2)] >> shift), Values(codes[(block * 4) + 2 + (part / 2)] >> shift));
    }

    /// <summary>The values of the lower four nibbles, found in both halves of the table; the uppermost bit of a nibble chooses between them.</summary>
    private static int Values(int names)
    {
        int index = names & 0x7777;
        int lower = default(TMath).Select(default(TValues).V0, default(TValues).V4, index);
        int upper = default(TMath).Select(default(TValues).V8, default(TValues).V12, index);
        return default(TMath).Select(lower, upper, 0x3210 | ((names & 0x8888) >> 1));
    }
}

/// <summary>Sixteen values of eight bits, four in each int.</summary>
internal interface ISixteenValues
{
    /// <summary>Values 0 to 3.</summary>
    int V0 { get; }

    /// <summary>Values 4 to 7.</summary>
    int V4 { get; }

    /// <summary>Values 8 to 11.</summary>
    int V8 { get; }

    /// <summary>Values 12 to 15.</summary>
    int V12 { get; }
}

/// <summary>Twice the floats of four bits of MXFP4: 0, 1, 2, 3, 4, 6, 8, 12 and, but for zero, their opposites.</summary>
internal readonly struct Float4Values : ISixteenValues
{
    public int V0 => 0x03020100;

    public int V4 => 0x0C080604;

    public int V8 => unchecked((int)0xFDFEFF00);

    public int V12 => unchecked((int)0xF4F8FAFC);
}

/// <summary>The values of IQ4_NL: -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113.</summary>
internal readonly struct UnevenValues : ISixteenValues
{
    public int V0 => unchecked((int)0xBFAD9881);

    public int V4 => unchecked((int)0xF6EADDCF);

    public int V8 => 0x26190D01;

    public int V12 => 0x71594535;
}
