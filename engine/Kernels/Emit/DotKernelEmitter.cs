using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels.Emit;

/// <summary>
/// Writes the machine code of sixteen packed rows × a panel of a given width, with VNNI at 512 bits, which .NET does not offer as an
/// intrinsic. Each kernel is a function (weights, panel, blocks, sums) → void in the System V convention (rdi, rsi, rdx, rcx), made of
/// <code>
/// clear the float sums
/// for each block: for each unit: integer sums of 32 elements; float sum = fma((float)integer sum, scale · activation scale, float sum)
/// store the float sums
/// </code>
/// </summary>
/// <remarks>Registers 0 to 23 hold each column's float sum and one or two integer sums, 24 to 31 all else.</remarks>
internal sealed partial class DotKernelEmitter
{
    // Few columns read weights faster than memory gives them: a line that far ahead arrives when it is needed. AMD's processors see the
    // streams themselves and only lose by being told: decode of mixtures was 6 % slower with it on Zen 4.
    private const int PrefetchAhead = 4096;
    private const int CacheLine = 64;
    private static readonly int WidestToPrefetch = IsMadeByAmd ? 0 : 4;

    /// <summary>What makes signed bytes unsigned, as a power of two that activations' sums are shifted by.</summary>
    private const int SignedZeroBits = 7;
    private const int NamedZero = 1 << SignedZeroBits;

    private static readonly Zmm Both = new(24);
    private static readonly Zmm Lower = new(25);
    private static readonly Zmm Upper = new(26);
    private static readonly Zmm High = new(27);
    private static readonly Zmm Mask = new(28);
    private static readonly Zmm OtherMask = new(29);
    private static readonly Zmm Table = OtherMask;
    private static readonly Zmm Scale = new(30);
    private static readonly Zmm Min = new(31);

    private readonly Assembler _code = new();
    private readonly int _width;
    private readonly int _first;
    private readonly int _panelWidth;

    // What the arguments point to.
    private readonly Address _weights = new(Gpr.Rdi, 0);
    private readonly Address _panel = new(Gpr.Rsi, 0);
    private readonly Address _sums = new(Gpr.Rcx, 0);

    private DotKernelEmitter(int first, int width, int panelWidth)
    {
        _first = first;
        _width = width;
        _panelWidth = panelWidth;
    }

    /// <summary>Most columns whose accumulators fit the registers.</summary>
    internal static int MaxColumns(ElementType type) =>
        type is ElementType.Q2_K or ElementType.Q3_K or ElementType.Q6_K ? 8 : Panel.MaxWidth;

    /// <summary>
    /// The code for columns <paramref name="first"/> to <paramref name="first"/> + <paramref name="width"/> - 1 of a panel of
    /// <paramref name="panelWidth"/>.
    /// </summary>
    internal static ReadOnlyMemory<byte> Emit(ElementType type, int first, int width, int panelWidth)
    {
        var emitter = new DotKernelEmitter(first, width, panelWidth);
        switch (type)
        {
            case ElementType.Q4_0: emitter.Kernel<PackedQ4_0>(emitter.Q4_0Unit); break;
            case ElementType.Q4_1: emitter.Kernel<PackedQ4_1>(emitter.Q4_1Unit); break;
            case ElementType.Q5_0: emitter.Kernel<PackedQ5_0>(emitter.Q5_0Unit, otherMask: 0x10); break;
            case ElementType.Q5_1: emitter.Kernel<PackedQ5_1>(emitter.Q5_1Unit, otherMask: 0x10); break;
            case ElementType.Q8_0: emitter.Kernel<PackedQ8_0>(emitter.Q8_0Unit, otherMask: 0x80); break;
            case ElementType.IQ4_NL: emitter.NamedKernel<PackedIQ4_NL>(emitter.IQ4_NLUnit, IQ4_NL.Values); break;
            case ElementType.MXFP4: emitter.NamedKernel<PackedMXFP4>(emitter.MXFP4Unit, MXFP4.Values); break;
            case ElementType.Q2_K: emitter.Kernel<PackedQ2_K>(emitter.Q2_KUnit, otherMask: 0x03); break;
            case ElementType.Q3_K: emitter.Kernel<PackedQ3_K>(emitter.Q3_KUnit, mask: 0x03, otherMask: 0x04); break;
            case ElementType.Q4_K: emitter.Kernel<PackedQ4_K>(emitter.Q4_KUnit); break;
            case ElementType.Q5_K: emitter.Kernel<PackedQ5_K>(emitter.Q5_KUnit, otherMask: 0x10); break;
            case ElementType.Q6_K: emitter.Kernel<PackedQ6_K>(emitter.Q6_KUnit, otherMask: 0x30); break;
            case ElementType.IQ4_XS: emitter.NamedKernel<PackedIQ4_XS>(emitter.IQ4_XSUnit, IQ4_NL.Values); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "There is no packed form of this element type.");
        }

        return emitter._code.Code;
    }

    private static bool IsMadeByAmd => X86Base.IsSupported && X86Base.CpuId(0, 0) is { Ebx: 0x6874_7541 }; // "Auth" of AuthenticAMD

    private static Zmm FloatSum(int column) => new(column);

    private Zmm Sum(int column) => new(_width + column);

    private Zmm UpperSum(int column) => new((2 * _width) + column);

    private Address Quants(int column, int element) => _panel + ((32 * (_first + column)) + element);

    /// <summary>A kernel whose four-bit codes name <paramref name="values"/>, which become unsigned by adding <see cref="NamedZero"/>.</summary>
    private void NamedKernel<TFormat>(Action<Address, Address> unit, ReadOnlySpan<sbyte> values)
        where TFormat : struct, IPackedFormat
    {
        Span<byte> table = stackalloc byte[16];
        for (int code = 0; code < table.Length; code++)
            table[code] = (byte)(values[code] + NamedZero);
        _code.Move(Gpr.Rax, BinaryPrimitives.ReadUInt64LittleEndian(table));
        _code.BroadcastQuad(Lower, Gpr.Rax);
        _code.Move(Gpr.Rax, BinaryPrimitives.ReadUInt64LittleEndian(table[8..]));
        _code.BroadcastQuad(Upper, Gpr.Rax);
        _code.JoinQuads(Table, Lower, Upper);
        Kernel<TFormat>(unit);
    }

    private void Kernel<TFormat>(Action<Address, Address> unit, byte mask = 0x0F, byte otherMask = 0)
        where TFormat : struct, IPackedFormat
    {
        const uint EveryByte = 0x0101_0101;
        int blockBytes = TFormat.HeaderBytes + (TFormat.Units * TFormat.UnitBytes);
        _code.Move(Gpr.Rax, mask * EveryByte);
        _code.BroadcastDword(Mask, Gpr.Rax);
        if (otherMask != 0)
        {
            _code.Move(Gpr.Rax, otherMask * EveryByte);
            _code.BroadcastDword(OtherMask, Gpr.Rax);
        }

        for (int column = 0; column < _width; column++)
            _code.Xor(FloatSum(column), FloatSum(column), FloatSum(column));

        int loop = _code.Here;
        int line = 0;
        for (int s = 0; s < TFormat.Units; s++)
        {
            int start = TFormat.HeaderBytes + (s * TFormat.UnitBytes);
            for (; line < start + TFormat.UnitBytes && _panelWidth <= WidestToPrefetch; line += CacheLine)
                _code.Prefetch(_weights + (PrefetchAhead + line));
            unit(_weights, _weights + start);
            _code.Add(Gpr.Rsi, Panel.ColumnBytes * _panelWidth);
        }

        _code.Add(Gpr.Rdi, blockBytes);
        _code.Decrement(Gpr.Rdx);
        _code.JumpIfNotZero(loop);

        for (int column = 0; column < _width; column++)
            _code.Store(_sums + (64 * (_first + column)), FloatSum(column));
        _code.ClearUpperHalves();
        _code.Return();
    }

    private Address MinusSum(int column) => PanelNumber(Panel.MinusSumAt(_panelWidth), column);

    private Address MinusLower(int column) => PanelNumber(Panel.MinusLowerAt(_panelWidth), column);

    private Address MinusUpper(int column) => PanelNumber(Panel.MinusUpperAt(_panelWidth), column);

    private Address PanelScale(int column) => PanelNumber(Panel.ScaleAt(_panelWidth), column);

    private Address PanelNumber(int offset, int column) => _panel + (offset + (4 * (_first + column)));

    /// <summary>Integer sums begin with −<c>2^zeroBits</c> · the sum of the activations, for codes from which that power is subtracted.</summary>
    private void BeginAtZero(int zeroBits)
    {
        for (int column = 0; column < _width; column++)
            _code.ShiftLeftBroadcast(Sum(column), MinusSum(column), zeroBits);
    }

    private void BeginAtNothing()
    {
        for (int column = 0; column < _width; column++)
            _code.Xor(Sum(column), Sum(column), Sum(column));
    }

    /// <summary>The same of both halves of a sub-block.</summary>
    private void BeginHalvesAtZero(int zeroBits)
    {
        for (int column = 0; column < _width; column++)
        {
            _code.ShiftLeftBroadcast(Sum(column), MinusLower(column), zeroBits);
            _code.ShiftLeftBroadcast(UpperSum(column), MinusUpper(column), zeroBits);
        }
    }

    /// <summary>Adds the products of 32 four-bit codes to the integer sums.</summary>
    private void Nibbles(Address nibbles)
    {
        for (int v = 0; v < 4; v++)
        {
            SplitNibbles(nibbles + (64 * v));
            Dot(Lower, 4 * v);
            Dot(Upper, 16 + (4 * v));
        }
    }

    /// <summary>The same of the values that four-bit codes name.</summary>
    private void NamedValues(Address nibbles)
    {
        for (int v = 0; v < 4; v++)
        {
            SplitNibbles(nibbles + (64 * v));
            _code.LookUpBytes(Lower, Table, Lower);
            _code.LookUpBytes(Upper, Table, Upper);
            Dot(Lower, 4 * v);
            Dot(Upper, 16 + (4 * v));
        }
    }

    /// <summary>The same of 32 five-bit codes.</summary>
    private void FiveBits(Address codes)
    {
        _code.Load(High, codes + PackedNibbles.Bytes);
        for (int v = 0; v < 4; v++)
        {
            SplitNibbles(codes + (64 * v));
            AddBits(Lower, High, v, 4);
            AddBits(Upper, High, 4 + v, 4);
            Dot(Lower, 4 * v);
            Dot(Upper, 16 + (4 * v));
        }
    }

    /// <summary>Adds four products of each row to every column's sum: of codes with the activations from <paramref name="element"/> on.</summary>
    private void Dot(Zmm codes, int element)
    {
        for (int column = 0; column < _width; column++)
            _code.DotBytes(Sum(column), codes, Quants(column, element));
    }

    private void DotUpper(Zmm codes, int element)
    {
        for (int column = 0; column < _width; column++)
            _code.DotBytes(UpperSum(column), codes, Quants(column, element));
    }

    private void SplitNibbles(Address nibbles)
    {
        _code.Load(Both, nibbles);
        _code.And(Lower, Both, Mask);
        _code.ShiftRightWords(Upper, Both, 4);
        _code.And(Upper, Upper, Mask);
    }

    private void AddHighBits(Zmm codes, Zmm high) => AddHighBits(codes, high, high);

    private void AddHighBits(Zmm codes, Zmm high, Zmm scratch)
    {
        _code.And(scratch, high, OtherMask);
        _code.Or(codes, codes, scratch);
    }

    /// <summary>One bit of each byte from place <paramref name="from"/> to place <paramref name="to"/>, where <see cref="OtherMask"/> is.</summary>
    private void AddBits(Zmm codes, Zmm bits, int from, int to)
    {
        if (from < to)
            _code.ShiftLeftWords(Scale, bits, to - from);
        else if (from > to)
            _code.ShiftRightWords(Scale, bits, from - to);
        AddHighBits(codes, from == to ? bits : Scale, Scale);
    }

    /// <summary>target = a 16-bit float · the integer in <see cref="Lower"/>, of each row.</summary>
    private void Factor(Zmm target, Address half)
    {
        _code.ToFloats(Lower, Lower);
        _code.LoadHalves(target, half);
        _code.Multiply(target, target, Lower);
    }

    /// <summary>float sum = fma((float)sum, scale · activation scale, float sum) for every column.</summary>
    private void AddScaled()
    {
        for (int column = 0; column < _width; column++)
        {
            _code.ToFloats(Sum(column), Sum(column));
            _code.MultiplyBroadcast(Lower, Scale, PanelScale(column));
            _code.MultiplyAdd(FloatSum(column), Sum(column), Lower);
        }
    }

    /// <summary>sum = lower sum · <see cref="Lower"/> + upper sum · <see cref="Upper"/>.</summary>
    private void CombineHalves()
    {
        for (int column = 0; column < _width; column++)
        {
            _code.MultiplyIntegers(Sum(column), Sum(column), Lower);
            _code.MultiplyIntegers(UpperSum(column), UpperSum(column), Upper);
            _code.AddIntegers(Sum(column), Sum(column), UpperSum(column));
        }
    }

    /// <summary>float sum = fma(−sum of the activations, minimum · activation scale, float sum) for every column.</summary>
    private void SubtractMins()
    {
        for (int column = 0; column < _width; column++)
        {
            _code.ToFloatsBroadcast(Lower, MinusSum(column));
            _code.MultiplyBroadcast(Upper, Min, PanelScale(column));
            _code.MultiplyAdd(FloatSum(column), Lower, Upper);
        }
    }
}
