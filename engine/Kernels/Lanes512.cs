using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels;

/// <summary>Sixteen floats in one AVX-512 register.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Lanes512(Vector512<float> value) : ILanes<Lanes512>
{
    private readonly Vector512<float> _value = value;

    public static bool HasManyRegisters => true;

    internal static bool IsSupported =>
        Avx512F.IsSupported && Avx512F.VL.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && Lanes256.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator +(Lanes512 left, Lanes512 right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 left, Lanes512 right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator *(Lanes512 left, Lanes512 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator /(Lanes512 left, Lanes512 right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 value) => new(value._value ^ Vector512.Create(-0f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadHalf(ushort* source) => WidenHalves(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 WidenHalves(Vector256<ushort> halves) => new(WidenHalf(Avx512F.ConvertToVector512Int32(halves)));

    /// <summary>Sixteen 16-bit floats, zero-extended to 32 bits, as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> WidenHalf(Vector512<int> bits)
    {
        Vector512<int> magnitude = (bits & Vector512.Create(0x7FFF)) << 13;
        Vector512<int> normal = magnitude + Vector512.Create(HalfBits.Rebias);
        Vector512<int> special = normal + Vector512.Create(HalfBits.Rebias);
        Vector512<float> least = Vector512.Create(HalfBits.Least + HalfBits.Rebias).AsSingle();
        Vector512<int> small = ((normal + Vector512.Create(HalfBits.Least)).AsSingle() - least).AsInt32();
        Vector512<int> widened = Vector512.ConditionalSelect(
            Vector512.LessThan(magnitude, Vector512.Create(HalfBits.Least)),
            small,
            Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(HalfBits.Infinite)), normal, special));
        return (widened | ((bits & Vector512.Create(0x8000)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBrain(ushort* source) =>
        new((Avx512F.ConvertToVector512Int32(Vector256.Load(source)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadSignedBytes(sbyte* source) =>
        new(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(source))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes512 value, float* target) => value._value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 FusedMultiplyAdd(Lanes512 a, Lanes512 b, Lanes512 c) =>
        new(Avx512F.FusedMultiplyAdd(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Max(Lanes512 a, Lanes512 b) => new(Vector512.Max(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Clamp(Lanes512 x, Lanes512 low, Lanes512 high)
    {
        Vector512<float> clamped = Vector512.ConditionalSelect(Vector512.LessThan(x._value, low._value), low._value, x._value);
        return new(Vector512.ConditionalSelect(Vector512.GreaterThan(clamped, high._value), high._value, clamped));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ScaleByPowerOfTwo(Lanes512 value, Lanes512 shifted)
    {
        Vector512<int> n = shifted._value.AsInt32() - Vector512.Create(Elementary.RoundingShift).AsInt32();
        Vector512<int> half = n >> 1;
        Vector512<float> first = ((half + Vector512.Create(127)) << 23).AsSingle();
        Vector512<float> second = ((n - half + Vector512.Create(127)) << 23).AsSingle();
        return new(value._value * first * second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes512 value) => Lanes256.Tree(Eight(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sum4(Lanes512 a, Lanes512 b, Lanes512 c, Lanes512 d) =>
        Lanes256.Trees(Eight(a), Eight(b), Eight(c), Eight(d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadTwice(float* source)
    {
        Vector512<float> eight = Vector256.Load(source).ToVector512Unsafe();
        return new(Avx512F.PermuteVar16x32(eight, Vector512.Create(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 SwapPairs(Lanes512 value) => new(Avx512F.Permute4x32(value._value, 0b10_11_00_01));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Interleave(Lanes512 even, Lanes512 odd) =>
        new(Vector512.ConditionalSelect(Vector512.Create(0x0000_0000_FFFF_FFFFUL).AsSingle(), even._value, odd._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AllFinite(Lanes512 value) =>
        Vector512.LessThanAll(value._value.AsInt32() & Vector512.Create(0x7FFF_FFFF), Vector512.Create(0x7F80_0000));

    /// <summary>The tree's first step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Eight(Lanes512 value) => value._value.GetLower() + value._value.GetUpper();
}
