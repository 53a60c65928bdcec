using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Pure.Engine.Kernels.Packed;

/// <summary>Four rows in 128 bits: portable, but for the product of bytes where Arm has it as one instruction.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Rows128(Vector128<int> value) : IRowLanes<Rows128>
{
    private readonly Vector128<int> _value = value;

    public static int Rows => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 Load(byte* source) => new(Vector128.Load((int*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 EveryByte(byte value) => new(Vector128.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 operator &(Rows128 left, Rows128 right) => new(left._value & right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 operator |(Rows128 left, Rows128 right) => new(left._value | right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 operator <<(Rows128 value, int bits) => new((value._value.AsUInt16() << bits).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 operator >>>(Rows128 value, int bits) => new((value._value.AsUInt16() >>> bits).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 Table(ReadOnlySpan<sbyte> values) => new(Vector128.Create(values).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 LookUp(Rows128 table, Rows128 places) =>
        new(Vector128.ShuffleNative(table._value.AsByte(), places._value.AsByte()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 AddProducts(Rows128 partial, Rows128 codes, byte* x) =>
        new(Add(partial._value, codes._value.AsSByte(), Vector128.Create(*(int*)x).AsSByte()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 Whole(Rows128 partial) => partial;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 AddSignedProducts(Rows128 sums, Rows128 codes, byte* x) => AddProducts(sums, codes, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 Broadcast(int value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 operator +(Rows128 left, Rows128 right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 operator *(Rows128 left, Rows128 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 LoadBytes(byte* source) => new(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(*(uint*)source).AsByte())).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 LoadSignedBytes(byte* source) => new(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(*(uint*)source).AsSByte())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 BroadcastFloat(float value) => new(Vector128.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 LoadFloats(float* source) => new(Vector128.Load(source).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFloats(Rows128 value, float* target) => value._value.AsSingle().Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 LoadHalves(byte* source) =>
        new(Lanes128.WidenHalf(FourWords(source)).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 LoadBrains(byte* source) => new(FourWords(source) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 ToFloats(Rows128 integers) =>
        new(Vector128.ConvertToSingle(integers._value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 MultiplyFloats(Rows128 left, Rows128 right) =>
        new((left._value.AsSingle() * right._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows128 FusedMultiplyAdd(Rows128 left, Rows128 right, Rows128 sum) =>
        new(Vector128.FusedMultiplyAdd(left._value.AsSingle(), right._value.AsSingle(), sum._value.AsSingle()).AsInt32());

    /// <summary>Codes above 127 do not occur, so that they are signed bytes too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Add(Vector128<int> sums, Vector128<sbyte> codes, Vector128<sbyte> x)
    {
        if (Dp.IsSupported)
            return Dp.DotProduct(sums, codes, x);

        // A product of bytes fits 16 bits, the sum of two does not: -128 · 127 · 2.
        Vector128<short> lower = Vector128.WidenLower(codes) * Vector128.WidenLower(x);
        Vector128<short> upper = Vector128.WidenUpper(codes) * Vector128.WidenUpper(x);
        return sums + PairsOfPairs(lower, upper);
    }

    /// <summary>The sum of each four neighbours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> PairsOfPairs(Vector128<short> lower, Vector128<short> upper)
    {
        // Even and odd elements of each pair as integers, added; then the pairs of either half side by side.
        Vector128<int> a = ((lower.AsInt32() << 16) >> 16) + (lower.AsInt32() >> 16);
        Vector128<int> b = ((upper.AsInt32() << 16) >> 16) + (upper.AsInt32() >> 16);
        return Vector128.Create(
            a.GetElement(0) + a.GetElement(1), a.GetElement(2) + a.GetElement(3), b.GetElement(0) + b.GetElement(1), b.GetElement(2) + b.GetElement(3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> FourWords(byte* source) =>
        Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)source).AsUInt16()).AsInt32();
}
