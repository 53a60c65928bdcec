using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Pure.Engine.Kernels;

/// <summary>
/// Sixteen floats in four registers of 128 bits: NEON. The code is portable, so that tests run it on other processors too; there it is
/// only slower.
/// </summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Lanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d) : ILanes<Lanes128>
{
    private readonly Vector128<float> _a = a;
    private readonly Vector128<float> _b = b;
    private readonly Vector128<float> _c = c;
    private readonly Vector128<float> _d = d;

    public static bool HasManyRegisters => false;

    internal static bool IsSupported => AdvSimd.Arm64.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator +(Lanes128 left, Lanes128 right) =>
        new(left._a + right._a, left._b + right._b, left._c + right._c, left._d + right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 left, Lanes128 right) =>
        new(left._a - right._a, left._b - right._b, left._c - right._c, left._d - right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(Lanes128 left, Lanes128 right) =>
        new(left._a * right._a, left._b * right._b, left._c * right._c, left._d * right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator /(Lanes128 left, Lanes128 right) =>
        new(left._a / right._a, left._b / right._b, left._c / right._c, left._d / right._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 value)
    {
        Vector128<float> sign = Vector128.Create(-0f);
        return new(value._a ^ sign, value._b ^ sign, value._c ^ sign, value._d ^ sign);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Broadcast(float value)
    {
        Vector128<float> all = Vector128.Create(value);
        return new(all, all, all, all);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(float* source) =>
        new(Vector128.Load(source), Vector128.Load(source + 4), Vector128.Load(source + 8), Vector128.Load(source + 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadHalf(ushort* source)
    {
        Vector128<ushort> low = Vector128.Load(source);
        Vector128<ushort> high = Vector128.Load(source + 8);
        return Widen(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 WidenHalves(Vector256<ushort> halves) => Widen(halves.GetLower(), halves.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadSignedBytes(sbyte* source)
    {
        Vector128<sbyte> bytes = Vector128.Load(source);
        Vector128<short> low = Vector128.WidenLower(bytes);
        Vector128<short> high = Vector128.WidenUpper(bytes);
        return new(
            Vector128.ConvertToSingle(Vector128.WidenLower(low)),
            Vector128.ConvertToSingle(Vector128.WidenUpper(low)),
            Vector128.ConvertToSingle(Vector128.WidenLower(high)),
            Vector128.ConvertToSingle(Vector128.WidenUpper(high)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBrain(ushort* source)
    {
        Vector128<ushort> low = Vector128.Load(source);
        Vector128<ushort> high = Vector128.Load(source + 8);
        return new(
            (Vector128.WidenLower(low) << 16).AsSingle(),
            (Vector128.WidenUpper(low) << 16).AsSingle(),
            (Vector128.WidenLower(high) << 16).AsSingle(),
            (Vector128.WidenUpper(high) << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes128 value, float* target)
    {
        value._a.Store(target);
        value._b.Store(target + 4);
        value._c.Store(target + 8);
        value._d.Store(target + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 FusedMultiplyAdd(Lanes128 a, Lanes128 b, Lanes128 c) => new(
        Vector128.FusedMultiplyAdd(a._a, b._a, c._a),
        Vector128.FusedMultiplyAdd(a._b, b._b, c._b),
        Vector128.FusedMultiplyAdd(a._c, b._c, c._c),
        Vector128.FusedMultiplyAdd(a._d, b._d, c._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Max(Lanes128 a, Lanes128 b) => new(
        Vector128.Max(a._a, b._a), Vector128.Max(a._b, b._b), Vector128.Max(a._c, b._c), Vector128.Max(a._d, b._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Clamp(Lanes128 x, Lanes128 low, Lanes128 high) => new(
        Clamp(x._a, low._a, high._a), Clamp(x._b, low._b, high._b), Clamp(x._c, low._c, high._c), Clamp(x._d, low._d, high._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ScaleByPowerOfTwo(Lanes128 value, Lanes128 shifted) => new(
        ScaleByPowerOfTwo(value._a, shifted._a),
        ScaleByPowerOfTwo(value._b, shifted._b),
        ScaleByPowerOfTwo(value._c, shifted._c),
        ScaleByPowerOfTwo(value._d, shifted._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes128 value)
    {
        Vector128<float> four = Four(value);
        return four.GetElement(0) + four.GetElement(2) + (four.GetElement(1) + four.GetElement(3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sum4(Lanes128 a, Lanes128 b, Lanes128 c, Lanes128 d) =>
        Vector128.Create(Sum(a), Sum(b), Sum(c), Sum(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadTwice(float* source)
    {
        Vector128<float> low = Vector128.Load(source);
        Vector128<float> high = Vector128.Load(source + 4);
        return new(LowerTwice(low), UpperTwice(low), LowerTwice(high), UpperTwice(high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 SwapPairs(Lanes128 value) => new(Swap(value._a), Swap(value._b), Swap(value._c), Swap(value._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Interleave(Lanes128 even, Lanes128 odd) => new(
        Interleave(even._a, odd._a), Interleave(even._b, odd._b), Interleave(even._c, odd._c), Interleave(even._d, odd._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllFinite(Lanes128 value)
    {
        Vector128<int> magnitude = Vector128.Create(0x7FFF_FFFF);
        return Vector128.LessThanAll(
            Vector128.Max(
                Vector128.Max(value._a.AsInt32() & magnitude, value._b.AsInt32() & magnitude),
                Vector128.Max(value._c.AsInt32() & magnitude, value._d.AsInt32() & magnitude)),
            Vector128.Create(0x7F80_0000));
    }

    /// <summary>Four 16-bit floats, zero-extended to 32 bits, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> WidenHalf(Vector128<int> bits)
    {
        Vector128<int> magnitude = (bits & Vector128.Create(0x7FFF)) << 13;
        Vector128<int> normal = magnitude + Vector128.Create(HalfBits.Rebias);
        Vector128<int> special = normal + Vector128.Create(HalfBits.Rebias);
        Vector128<float> least = Vector128.Create(HalfBits.Least + HalfBits.Rebias).AsSingle();
        Vector128<int> small = ((normal + Vector128.Create(HalfBits.Least)).AsSingle() - least).AsInt32();
        Vector128<int> widened = Vector128.ConditionalSelect(
            Vector128.LessThan(magnitude, Vector128.Create(HalfBits.Least)),
            small,
            Vector128.ConditionalSelect(Vector128.LessThan(magnitude, Vector128.Create(HalfBits.Infinite)), normal, special));
        return (widened | ((bits & Vector128.Create(0x8000)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes128 Widen(Vector128<ushort> low, Vector128<ushort> high) => new(
        WidenHalf(Vector128.WidenLower(low).AsInt32()),
        WidenHalf(Vector128.WidenUpper(low).AsInt32()),
        WidenHalf(Vector128.WidenLower(high).AsInt32()),
        WidenHalf(Vector128.WidenUpper(high).AsInt32()));

    /// <summary>The tree's first two steps: 16→8→4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Four(Lanes128 value) => (value._a + value._c) + (value._b + value._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Clamp(Vector128<float> x, Vector128<float> low, Vector128<float> high)
    {
        Vector128<float> clamped = Vector128.ConditionalSelect(Vector128.LessThan(x, low), low, x);
        return Vector128.ConditionalSelect(Vector128.GreaterThan(clamped, high), high, clamped);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ScaleByPowerOfTwo(Vector128<float> value, Vector128<float> shifted)
    {
        Vector128<int> n = shifted.AsInt32() - Vector128.Create(Elementary.RoundingShift).AsInt32();
        Vector128<int> half = n >> 1;
        Vector128<float> first = ((half + Vector128.Create(127)) << 23).AsSingle();
        Vector128<float> second = ((n - half + Vector128.Create(127)) << 23).AsSingle();
        return value * first * second;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> LowerTwice(Vector128<float> value) => Vector128.Shuffle(value, Vector128.Create(0, 0, 1, 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> UpperTwice(Vector128<float> value) => Vector128.Shuffle(value, Vector128.Create(2, 2, 3, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Swap(Vector128<float> value) => Vector128.Shuffle(value, Vector128.Create(1, 0, 3, 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Interleave(Vector128<float> even, Vector128<float> odd) =>
        Vector128.ConditionalSelect(Vector128.Create(0x0000_0000_FFFF_FFFFUL).AsSingle(), even, odd);
}
