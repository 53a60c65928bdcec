using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels.Packed;

/// <summary>Eight rows in 256 bits.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Rows256<TProducts>(Vector256<int> value) : IRowLanes<Rows256<TProducts>>
    where TProducts : struct, IByteProducts
{
    private readonly Vector256<int> _value = value;

    public static int Rows => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> Load(byte* source) => new(Vector256.Load((int*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> EveryByte(byte value) => new(Vector256.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> operator &(Rows256<TProducts> left, Rows256<TProducts> right) => new(left._value & right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> operator |(Rows256<TProducts> left, Rows256<TProducts> right) => new(left._value | right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> operator <<(Rows256<TProducts> value, int bits) => new((value._value.AsUInt16() << bits).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> operator >>>(Rows256<TProducts> value, int bits) => new((value._value.AsUInt16() >>> bits).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> Table(ReadOnlySpan<sbyte> values)
    {
        Vector128<int> table = Vector128.Create(values).AsInt32();
        return new(Vector256.Create(table, table));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> LookUp(Rows256<TProducts> table, Rows256<TProducts> places) =>
        new(Avx2.Shuffle(table._value.AsByte(), places._value.AsByte()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> AddProducts(Rows256<TProducts> partial, Rows256<TProducts> codes, byte* x) =>
        new(TProducts.Add(partial._value, codes._value.AsByte(), Four(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> Whole(Rows256<TProducts> partial) => new(TProducts.Whole(partial._value));

    /// <summary>|code| · (±x), whose pairs fit 16 bits: 2 · 128 · 127 = 32,512.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> AddSignedProducts(Rows256<TProducts> sums, Rows256<TProducts> codes, byte* x)
    {
        Vector256<sbyte> signed = codes._value.AsSByte();
        return new(TProducts.AddWhole(sums._value, Avx2.Abs(signed), Avx2.Sign(Four(x), signed)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> Broadcast(int value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> operator +(Rows256<TProducts> left, Rows256<TProducts> right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> operator *(Rows256<TProducts> left, Rows256<TProducts> right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> LoadBytes(byte* source) => new(Avx2.ConvertToVector256Int32(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> LoadSignedBytes(byte* source) => new(Avx2.ConvertToVector256Int32((sbyte*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> BroadcastFloat(float value) => new(Vector256.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> LoadFloats(float* source) => new(Vector256.Load(source).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFloats(Rows256<TProducts> value, float* target) => value._value.AsSingle().Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> LoadHalves(byte* source) =>
        new(Lanes256.WidenHalf(Avx2.ConvertToVector256Int32((ushort*)source)).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> LoadBrains(byte* source) => new(Avx2.ConvertToVector256Int32((ushort*)source) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> ToFloats(Rows256<TProducts> integers) =>
        new(Avx.ConvertToVector256Single(integers._value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> MultiplyFloats(Rows256<TProducts> left, Rows256<TProducts> right) =>
        new((left._value.AsSingle() * right._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows256<TProducts> FusedMultiplyAdd(Rows256<TProducts> left, Rows256<TProducts> right, Rows256<TProducts> sum) =>
        new(Fma.MultiplyAdd(left._value.AsSingle(), right._value.AsSingle(), sum._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Four(byte* x) => Vector256.Create(*(int*)x).AsSByte();
}
