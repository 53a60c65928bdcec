using System.Numerics;
using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels;

/// <summary>
/// Sixteen floats in vector registers: one of AVX-512, two of AVX2, four of 128 bits. A kernel's vector body is written once over
/// this type; lane i holds the definition's partial sum i, so the bits do not depend on the width. Every member is one rounding per
/// lane, or exact.
/// </summary>
internal unsafe interface ILanes<TSelf> :
    IAdditionOperators<TSelf, TSelf, TSelf>,
    ISubtractionOperators<TSelf, TSelf, TSelf>,
    IMultiplyOperators<TSelf, TSelf, TSelf>,
    IDivisionOperators<TSelf, TSelf, TSelf>,
    IUnaryNegationOperators<TSelf, TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Whether twenty values fit the registers, so that a product may keep sixteen sums there.</summary>
    static abstract bool HasManyRegisters { get; }

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* source);

    /// <summary>Sixteen 16-bit IEEE floats, widened exactly (denormals, infinities and NaN included).</summary>
    static abstract TSelf LoadHalf(ushort* source);

    /// <summary>The same of halves in a register.</summary>
    static abstract TSelf WidenHalves(Vector256<ushort> halves);

    /// <summary>Sixteen bfloat16 values, widened exactly.</summary>
    static abstract TSelf LoadBrain(ushort* source);

    /// <summary>Sixteen signed bytes, as floats.</summary>
    static abstract TSelf LoadSignedBytes(sbyte* source);

    static abstract void Store(TSelf value, float* target);

    /// <summary>a · b + c, rounded once.</summary>
    static abstract TSelf FusedMultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>IEEE 754-2019 maximum: NaN if either is NaN, +0 above −0.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary><c>x &lt; low ? low : x &gt; high ? high : x</c>; NaN stays.</summary>
    static abstract TSelf Clamp(TSelf x, TSelf low, TSelf high);

    /// <summary>value · 2^n, where shifted = n + <see cref="Elementary.RoundingShift"/>, in the steps of the scalar exponential.</summary>
    static abstract TSelf ScaleByPowerOfTwo(TSelf value, TSelf shifted);

    /// <summary>The tree 16→8→4→2→1: lane j with lane j + half.</summary>
    static abstract float Sum(TSelf value);

    /// <summary><see cref="Sum"/> of four values.</summary>
    static abstract Vector128<float> Sum4(TSelf a, TSelf b, TSelf c, TSelf d);

    /// <summary>Eight floats, each in two neighbouring lanes.</summary>
    static abstract TSelf LoadTwice(float* source);

    /// <summary>Lanes 2i and 2i + 1 exchanged.</summary>
    static abstract TSelf SwapPairs(TSelf value);

    /// <summary>Lanes 0, 2, … of the first, lanes 1, 3, … of the second.</summary>
    static abstract TSelf Interleave(TSelf even, TSelf odd);

    /// <summary>Whether every lane is neither NaN nor infinite.</summary>
    static abstract bool AllFinite(TSelf value);
}
