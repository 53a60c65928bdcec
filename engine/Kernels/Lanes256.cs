using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels;

/// <summary>Sixteen floats in two AVX registers: lanes 0 to 7, lanes 8 to 15.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Lanes256(Vector256<float> low, Vector256<float> high) : ILanes<Lanes256>
{
    private readonly Vector256<float> _low = low;
    private readonly Vector256<float> _high = high;

    public static bool HasManyRegisters => false;

    internal static bool IsSupported => Avx2.IsSupported && Fma.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator +(Lanes256 left, Lanes256 right) => new(left._low + right._low, left._high + right._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 left, Lanes256 right) => new(left._low - right._low, left._high - right._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 left, Lanes256 right) => new(left._low * right._low, left._high * right._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 left, Lanes256 right) => new(left._low / right._low, left._high / right._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 value)
    {
        Vector256<float> sign = Vector256.Create(-0f);
        return new(value._low ^ sign, value._high ^ sign);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Broadcast(float value)
    {
        Vector256<float> all = Vector256.Create(value);
        return new(all, all);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(float* source) => new(Vector256.Load(source), Vector256.Load(source + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadHalf(ushort* source) => new(WidenHalf(Avx2.ConvertToVector256Int32(source)), WidenHalf(Avx2.ConvertToVector256Int32(source + 8)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 WidenHalves(Vector256<ushort> halves) =>
        new(WidenHalf(Avx2.ConvertToVector256Int32(halves.GetLower())), WidenHalf(Avx2.ConvertToVector256Int32(halves.GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBrain(ushort* source) =>
        new((Avx2.ConvertToVector256Int32(source) << 16).AsSingle(), (Avx2.ConvertToVector256Int32(source + 8) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadSignedBytes(sbyte* source) => new(
        Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(source)),
        Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(source + 8)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes256 value, float* target)
    {
        value._low.Store(target);
        value._high.Store(target + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 FusedMultiplyAdd(Lanes256 a, Lanes256 b, Lanes256 c) =>
        new(Fma.MultiplyAdd(a._low, b._low, c._low), Fma.MultiplyAdd(a._high, b._high, c._high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Max(Lanes256 a, Lanes256 b) => new(Vector256.Max(a._low, b._low), Vector256.Max(a._high, b._high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Clamp(Lanes256 x, Lanes256 low, Lanes256 high) =>
        new(Clamp(x._low, low._low, high._low), Clamp(x._high, low._high, high._high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ScaleByPowerOfTwo(Lanes256 value, Lanes256 shifted) =>
        new(ScaleByPowerOfTwo(value._low, shifted._low), ScaleByPowerOfTwo(value._high, shifted._high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes256 value) => Tree(value._low + value._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sum4(Lanes256 a, Lanes256 b, Lanes256 c, Lanes256 d) =>
        Trees(a._low + a._high, b._low + b._high, c._low + c._high, d._low + d._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadTwice(float* source)
    {
        Vector256<float> eight = Vector256.Load(source);
        return new(
            Avx2.PermuteVar8x32(eight, Vector256.Create(0, 0, 1, 1, 2, 2, 3, 3)),
            Avx2.PermuteVar8x32(eight, Vector256.Create(4, 4, 5, 5, 6, 6, 7, 7)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 SwapPairs(Lanes256 value) =>
        new(Avx.Permute(value._low, 0b10_11_00_01), Avx.Permute(value._high, 0b10_11_00_01));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Interleave(Lanes256 even, Lanes256 odd) =>
        new(Avx.Blend(even._low, odd._low, 0b1010_1010), Avx.Blend(even._high, odd._high, 0b1010_1010));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllFinite(Lanes256 value)
    {
        // As integers: signs cleared, the larger of the two halves must stay below infinity.
        Vector256<int> magnitude = Vector256.Create(0x7FFF_FFFF);
        return Vector256.LessThanAll(
            Vector256.Max(value._low.AsInt32() & magnitude, value._high.AsInt32() & magnitude), Vector256.Create(0x7F80_0000));
    }

    /// <summary>The tree from eight: 8→4→2→1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Tree(Vector256<float> eight)
    {
        Vector128<float> four = eight.GetLower() + eight.GetUpper();
        Vector128<float> two = four + Sse.MoveHighToLow(four, four);
        return two.ToScalar() + two.GetElement(1);
    }

    /// <summary><see cref="Tree"/> of four at once, by transposing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> Trees(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        Vector128<float> a4 = a.GetLower() + a.GetUpper();
        Vector128<float> b4 = b.GetLower() + b.GetUpper();
        Vector128<float> c4 = c.GetLower() + c.GetUpper();
        Vector128<float> d4 = d.GetLower() + d.GetUpper();

        // (a0 + a2, a1 + a3, b0 + b2, b1 + b3), likewise c and d; then the even elements + the odd ones.
        Vector128<float> ab = Sse.MoveLowToHigh(a4, b4) + Sse.MoveHighToLow(b4, a4);
        Vector128<float> cd = Sse.MoveLowToHigh(c4, d4) + Sse.MoveHighToLow(d4, c4);
        return Sse.Shuffle(ab, cd, 0b10_00_10_00) + Sse.Shuffle(ab, cd, 0b11_01_11_01);
    }

    /// <summary>Eight 16-bit floats, zero-extended to 32 bits, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> WidenHalf(Vector256<int> bits)
    {
        Vector256<int> magnitude = (bits & Vector256.Create(0x7FFF)) << 13;
        Vector256<int> normal = magnitude + Vector256.Create(HalfBits.Rebias);
        Vector256<int> special = normal + Vector256.Create(HalfBits.Rebias);
        Vector256<float> least = Vector256.Create(HalfBits.Least + HalfBits.Rebias).AsSingle();
        Vector256<int> small = ((normal + Vector256.Create(HalfBits.Least)).AsSingle() - least).AsInt32();
        Vector256<int> widened = Vector256.ConditionalSelect(
            Vector256.LessThan(magnitude, Vector256.Create(HalfBits.Least)),
            small,
            Vector256.ConditionalSelect(Vector256.LessThan(magnitude, Vector256.Create(HalfBits.Infinite)), normal, special));
        return (widened | ((bits & Vector256.Create(0x8000)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Clamp(Vector256<float> x, Vector256<float> low, Vector256<float> high)
    {
        Vector256<float> clamped = Vector256.ConditionalSelect(Vector256.LessThan(x, low), low, x);
        return Vector256.ConditionalSelect(Vector256.GreaterThan(clamped, high), high, clamped);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> ScaleByPowerOfTwo(Vector256<float> value, Vector256<float> shifted)
    {
        Vector256<int> n = shifted.AsInt32() - Vector256.Create(Elementary.RoundingShift).AsInt32();
        Vector256<int> half = n >> 1;
        Vector256<float> first = ((half + Vector256.Create(127)) << 23).AsSingle();
        Vector256<float> second = ((n - half + Vector256.Create(127)) << 23).AsSingle();
        return value * first * second;
    }
}
