using Pure.Engine.Kernels.Packed;

namespace Pure.Engine.Kernels.Emit;

/// <summary>One unit of each packed format: 32 elements of sixteen rows, as the format's file draws them.</summary>
internal sealed partial class DotKernelEmitter
{
    private void Q4_0Unit(Address header, Address unit)
    {
        BeginAtZero(3);
        Nibbles(unit + 32);
        _code.LoadHalves(Scale, unit);
        AddScaled();
    }

    private void Q4_1Unit(Address header, Address unit)
    {
        BeginAtNothing();
        Nibbles(unit + 64);
        ScaleAndLeast(unit);
    }

    private void Q5_0Unit(Address header, Address unit)
    {
        BeginAtZero(4);
        FiveBits(unit + 32);
        _code.LoadHalves(Scale, unit);
        AddScaled();
    }

    private void Q5_1Unit(Address header, Address unit)
    {
        BeginAtNothing();
        FiveBits(unit + 64);
        ScaleAndLeast(unit);
    }

    private void Q8_0Unit(Address header, Address unit)
    {
        // A signed code plus 128 is an unsigned one.
        BeginAtZero(SignedZeroBits);
        for (int v = 0; v < 8; v++)
        {
            _code.Load(Both, unit + (32 + (64 * v)));
            _code.Xor(Both, Both, OtherMask);
            Dot(Both, 4 * v);
        }

        _code.LoadHalves(Scale, unit);
        AddScaled();
    }

    private void IQ4_NLUnit(Address header, Address unit)
    {
        BeginAtZero(SignedZeroBits);
        NamedValues(unit + 32);
        _code.LoadHalves(Scale, unit);
        AddScaled();
    }

    private void MXFP4Unit(Address header, Address unit)
    {
        BeginAtZero(SignedZeroBits);
        NamedValues(unit + 32);
        _code.LoadWords(Scale, unit);
        _code.ShiftLeft(Scale, Scale, 16);
        AddScaled();
    }

    private void IQ4_XSUnit(Address header, Address unit)
    {
        BeginAtZero(SignedZeroBits);
        NamedValues(unit + 16);
        _code.LoadSignedBytes(Lower, unit);
        Factor(Scale, header);
        AddScaled();
    }

    private void Q4_KUnit(Address header, Address unit)
    {
        BeginAtNothing();
        Nibbles(unit + 32);
        ScaleAndMin(header, unit);
    }

    private void Q5_KUnit(Address header, Address unit)
    {
        BeginAtNothing();
        FiveBits(unit + 32);
        ScaleAndMin(header, unit);
    }

    private void Q6_KUnit(Address header, Address unit)
    {
        BeginHalvesAtZero(5);
        for (int v = 0; v < 4; v++)
        {
            SplitNibbles(unit + (32 + (64 * v)));
            if (v % 2 == 0)
                _code.Load(High, unit + (32 + PackedNibbles.Bytes + (32 * v)));

            // The high bits of lower elements stand at 2·(v mod 2), those of upper ones four bits further up; both go to 4.
            AddBits(Lower, High, 2 * (v % 2), 4);
            AddBits(Upper, High, 4 + (2 * (v % 2)), 4);
            Dot(Lower, 4 * v);
            DotUpper(Upper, 16 + (4 * v));
        }

        _code.LoadSignedBytes(Lower, unit);
        _code.LoadSignedBytes(Upper, unit + 16);
        CombineHalves();
        _code.LoadHalves(Scale, header);
        AddScaled();
    }

    private void Q3_KUnit(Address header, Address unit)
    {
        Zmm third = Min;
        BeginHalvesAtZero(2);
        _code.Load(third, unit + PackedQ3_K.ThirdBitsAt);
        for (int v = 0; v < 4; v++)
        {
            if (v % 2 == 0)
                _code.Load(High, unit + (32 + (32 * v)));

            // The pairs of elements 4v … stand at 2·(v mod 2), those of 16 + 4v … four bits further up; the third bits at v and 4 + v.
            Pairs(Lower, 2 * (v % 2));
            Pairs(Upper, 4 + (2 * (v % 2)));
            AddBits(Lower, third, v, 2);
            AddBits(Upper, third, 4 + v, 2);
            Dot(Lower, 4 * v);
            DotUpper(Upper, 16 + (4 * v));
        }

        _code.LoadSignedBytes(Lower, unit);
        _code.LoadSignedBytes(Upper, unit + 16);
        CombineHalves();
        _code.LoadHalves(Scale, header);
        AddScaled();

        void Pairs(Zmm codes, int from)
        {
            if (from > 0)
                _code.ShiftRightWords(codes, High, from);
            _code.And(codes, from > 0 ? codes : High, Mask);
        }
    }

    private void Q2_KUnit(Address header, Address unit)
    {
        for (int column = 0; column < _width; column++)
        {
            _code.Xor(Sum(column), Sum(column), Sum(column));
            _code.Xor(UpperSum(column), UpperSum(column), UpperSum(column));
        }

        for (int h = 0; h < 2; h++)
        {
            _code.Load(High, unit + (32 + (64 * h)));
            for (int quarter = 0; quarter < 4; quarter++)
            {
                if (quarter > 0)
                    _code.ShiftRightWords(Both, High, 2 * quarter);
                _code.And(Both, quarter > 0 ? Both : High, OtherMask);
                if (quarter < 2)
                    Dot(Both, (8 * h) + (4 * quarter));
                else
                    DotUpper(Both, 16 + (8 * h) + (4 * (quarter - 2)));
            }
        }

        // Scales are the low nibbles of the bytes, minima the high ones.
        _code.LoadBytes(Lower, unit);
        _code.LoadBytes(Upper, unit + 16);
        _code.ShiftRightWords(Both, Lower, 4);
        _code.ShiftRightWords(High, Upper, 4);
        _code.And(Lower, Lower, Mask);
        _code.And(Upper, Upper, Mask);
        CombineHalves();
        _code.LoadHalves(Scale, header);
        AddScaled();
        _code.LoadHalves(Min, header + 32);
        for (int column = 0; column < _width; column++)
        {
            _code.MultiplyIntegersBroadcast(Sum(column), Both, MinusLower(column));
            _code.MultiplyIntegersBroadcast(UpperSum(column), High, MinusUpper(column));
            _code.AddIntegers(Sum(column), Sum(column), UpperSum(column));
            _code.ToFloats(Sum(column), Sum(column));
            _code.MultiplyBroadcast(Lower, Min, PanelScale(column));
            _code.MultiplyAdd(FloatSum(column), Sum(column), Lower);
        }
    }

    /// <summary>Scale and (negated) least value of each row as 16-bit floats at <paramref name="unit"/>.</summary>
    private void ScaleAndLeast(Address unit)
    {
        _code.LoadHalves(Scale, unit);
        _code.LoadHalves(Min, unit + 32);
        AddScaled();
        SubtractMins();
    }

    /// <summary>The block's factors · the unit's bytes: scales, then minima.</summary>
    private void ScaleAndMin(Address header, Address unit)
    {
        _code.LoadBytes(Lower, unit);
        Factor(Scale, header);
        _code.LoadBytes(Lower, unit + 16);
        Factor(Min, header + 32);
        AddScaled();
        SubtractMins();
    }
}
