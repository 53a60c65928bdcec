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
internal sealed class DotKernelEmitter
{
    // Few columns read weights faster than memory gives them: a line that far ahead arrives when it is needed.
    private const int PrefetchAhead = 4096;
    private const int WidestToPrefetch = 4;
    private const int CacheLine = 64;

    private static readonly Zmm Both = new(24);
    private static readonly Zmm Lower = new(25);
    private static readonly Zmm Upper = new(26);
    private static readonly Zmm High = new(27);
    private static readonly Zmm NibbleMask = new(28);
    private static readonly Zmm OtherMask = new(29);
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
    internal static int MaxColumns(ElementType type) => type == ElementType.Q6_K ? 8 : Panel.MaxWidth;

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
            case ElementType.Q5_0: emitter.Kernel<PackedQ5_0>(emitter.Q5_0Unit); break;
            case ElementType.Q8_0: emitter.Kernel<PackedQ8_0>(emitter.Q8_0Unit); break;
            case ElementType.Q4_K: emitter.Kernel<PackedQ4_K>(emitter.Q4_KUnit); break;
            case ElementType.Q6_K: emitter.Kernel<PackedQ6_K>(emitter.Q6_KUnit); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "There is no packed form of this element type.");
        }

        return emitter._code.Code;
    }

    private static Zmm FloatSum(int column) => new(column);

    private Zmm Sum(int column) => new(_width + column);

    private Zmm UpperSum(int column) => new((2 * _width) + column);

    private Address Quants(int column, int element) => _panel + ((32 * (_first + column)) + element);

    private void Kernel<TFormat>(Action<Address, Address> unit)
        where TFormat : struct, IPackedFormat
    {
        int blockBytes = TFormat.HeaderBytes + (TFormat.Units * TFormat.UnitBytes);
        _code.Move(Gpr.Rax, 0x0F0F_0F0F);
        _code.BroadcastDword(NibbleMask, Gpr.Rax);
        _code.Move(Gpr.Rax, TFormat.Type switch { ElementType.Q6_K => 0x3030_3030, ElementType.Q5_0 => 0x1010_1010, _ => 0x8080_8080 });
        _code.BroadcastDword(OtherMask, Gpr.Rax);
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

    private void Q4_0Unit(Address header, Address unit)
    {
        for (int column = 0; column < _width; column++)
            _code.ShiftLeftBroadcast(Sum(column), MinusSum(column), 3);
        Nibbles(unit + 32);
        _code.LoadHalves(Scale, unit);
        AddScaled();
    }

    private void Q5_0Unit(Address header, Address unit)
    {
        for (int column = 0; column < _width; column++)
            _code.ShiftLeftBroadcast(Sum(column), MinusSum(column), 4);
        _code.Load(High, unit + (32 + PackedNibbles.Bytes));
        for (int v = 0; v < 4; v++)
        {
            SplitNibbles(unit + (32 + (64 * v)));
            _code.ShiftLeftWords(Scale, High, 4 - v);
            AddHighBits(Lower, Scale);
            if (v > 0)
                _code.ShiftRightWords(Scale, High, v);
            AddHighBits(Upper, v > 0 ? Scale : High, Scale);
            for (int column = 0; column < _width; column++)
                _code.DotBytes(Sum(column), Lower, Quants(column, 4 * v));
            for (int column = 0; column < _width; column++)
                _code.DotBytes(Sum(column), Upper, Quants(column, 16 + (4 * v)));
        }

        _code.LoadHalves(Scale, unit);
        AddScaled();
    }

    private void Q4_KUnit(Address header, Address unit)
    {
        for (int column = 0; column < _width; column++)
            _code.Xor(Sum(column), Sum(column), Sum(column));
        Nibbles(unit + 32);

        Factor(Scale, header, unit);
        Factor(Min, header + 32, unit + 16);
        AddScaled();
        for (int column = 0; column < _width; column++)
        {
            _code.ToFloatsBroadcast(Lower, MinusSum(column));
            _code.MultiplyBroadcast(Upper, Min, PanelScale(column));
            _code.MultiplyAdd(FloatSum(column), Lower, Upper);
        }
    }

    private void Q8_0Unit(Address header, Address unit)
    {
        // A signed code plus 128 is an unsigned one.
        for (int column = 0; column < _width; column++)
            _code.ShiftLeftBroadcast(Sum(column), MinusSum(column), 7);
        for (int v = 0; v < 8; v++)
        {
            _code.Load(Both, unit + (32 + (64 * v)));
            _code.Xor(Both, Both, OtherMask);
            for (int column = 0; column < _width; column++)
                _code.DotBytes(Sum(column), Both, Quants(column, 4 * v));
        }

        _code.LoadHalves(Scale, unit);
        AddScaled();
    }

    private void Q6_KUnit(Address header, Address unit)
    {
        for (int column = 0; column < _width; column++)
        {
            _code.ShiftLeftBroadcast(Sum(column), PanelNumber(Panel.MinusLowerAt(_panelWidth), column), 5);
            _code.ShiftLeftBroadcast(UpperSum(column), PanelNumber(Panel.MinusUpperAt(_panelWidth), column), 5);
        }

        for (int v = 0; v < 4; v++)
        {
            SplitNibbles(unit + (32 + (64 * v)));
            if (v % 2 == 0)
                _code.Load(High, unit + (32 + PackedNibbles.Bytes + (32 * v)));

            // The high bits of lower elements stand at 2·(v mod 2), those of upper ones at 4 + 2·(v mod 2); both go to 4.
            _code.ShiftLeftWords(Scale, High, v % 2 == 0 ? 4 : 2);
            AddHighBits(Lower, Scale);
            if (v % 2 == 0)
            {
                AddHighBits(Upper, High, Scale);
            }
            else
            {
                _code.ShiftRightWords(Scale, High, 2);
                AddHighBits(Upper, Scale);
            }

            for (int column = 0; column < _width; column++)
                _code.DotBytes(Sum(column), Lower, Quants(column, 4 * v));
            for (int column = 0; column < _width; column++)
                _code.DotBytes(UpperSum(column), Upper, Quants(column, 16 + (4 * v)));
        }

        _code.LoadSignedBytes(Lower, unit);
        _code.LoadSignedBytes(Upper, unit + 16);
        for (int column = 0; column < _width; column++)
        {
            _code.MultiplyIntegers(Sum(column), Sum(column), Lower);
            _code.MultiplyIntegers(UpperSum(column), UpperSum(column), Upper);
            _code.AddIntegers(Sum(column), Sum(column), UpperSum(column));
        }

        _code.LoadHalves(Scale, header);
        AddScaled();
    }

    private Address MinusSum(int column) => PanelNumber(Panel.MinusSumAt(_panelWidth), column);

    private Address PanelScale(int column) => PanelNumber(Panel.ScaleAt(_panelWidth), column);

    private Address PanelNumber(int offset, int column) => _panel + (offset + (4 * (_first + column)));

    /// <summary>Adds the products of 32 four-bit codes to the integer sums.</summary>
    private void Nibbles(Address nibbles)
    {
        for (int v = 0; v < 4; v++)
        {
            SplitNibbles(nibbles + (64 * v));
            for (int column = 0; column < _width; column++)
                _code.DotBytes(Sum(column), Lower, Quants(column, 4 * v));
            for (int column = 0; column < _width; column++)
                _code.DotBytes(Sum(column), Upper, Quants(column, 16 + (4 * v)));
        }
    }

    private void SplitNibbles(Address nibbles)
    {
        _code.Load(Both, nibbles);
        _code.And(Lower, Both, NibbleMask);
        _code.ShiftRightWords(Upper, Both, 4);
        _code.And(Upper, Upper, NibbleMask);
    }

    private void AddHighBits(Zmm codes, Zmm high) => AddHighBits(codes, high, high);

    private void AddHighBits(Zmm codes, Zmm high, Zmm scratch)
    {
        _code.And(scratch, high, OtherMask);
        _code.Or(codes, codes, scratch);
    }

    /// <summary>target = a 16-bit float · a byte, of each row.</summary>
    private void Factor(Zmm target, Address half, Address bytes)
    {
        _code.LoadBytes(Lower, bytes);
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
}
