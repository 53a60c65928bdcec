using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pure.Engine.Kernels.Packed;

/// <summary>Sixteen rows in 512 bits, multiplied in pairs of 16 bits as <see cref="PairedProducts"/>.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Rows512(Vector512<int> value) : IRowLanes<Rows512>
{
    private readonly Vector512<int> _value = value;

    public static int Rows => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 Load(byte* source) => new(Vector512.Load((int*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 EveryByte(byte value) => new(Vector512.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 operator &(Rows512 left, Rows512 right) => new(left._value & right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 operator |(Rows512 left, Rows512 right) => new(left._value | right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 operator <<(Rows512 value, int bits) => new((value._value.AsUInt16() << bits).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 operator >>>(Rows512 value, int bits) => new((value._value.AsUInt16() >>> bits).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 Table(ReadOnlySpan<sbyte> values)
    {
        Vector128<int> table = Vector128.Create(values).AsInt32();
        Vector256<int> twice = Vector256.Create(table, table);
        return new(Vector512.Create(twice, twice));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 LookUp(Rows512 table, Rows512 places) =>
        new(Avx512BW.Shuffle(table._value.AsByte(), places._value.AsByte()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 AddProducts(Rows512 partial, Rows512 codes, byte* x) =>
        new((partial._value.AsInt16() + Avx512BW.MultiplyAddAdjacent(codes._value.AsByte(), Four(x))).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 Whole(Rows512 partial) =>
        new(Avx512BW.MultiplyAddAdjacent(partial._value.AsInt16(), Vector512<short>.One));

    /// <summary>|code| · (±x), whose pairs fit 16 bits: 2 · 128 · 127 = 32,512.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 AddSignedProducts(Rows512 sums, Rows512 codes, byte* x)
    {
        Vector512<sbyte> signed = codes._value.AsSByte();
        Vector512<sbyte> four = Four(x);
        Vector512<sbyte> turned = Vector512.ConditionalSelect(Vector512.LessThan(signed, Vector512<sbyte>.Zero), -four, four);
        return new(sums._value + Avx512BW.MultiplyAddAdjacent(
            Avx512BW.MultiplyAddAdjacent(Avx512BW.Abs(signed), turned), Vector512<short>.One));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 Broadcast(int value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 operator +(Rows512 left, Rows512 right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 operator *(Rows512 left, Rows512 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 LoadBytes(byte* source) => new(Avx512F.ConvertToVector512Int32(Vector128.Load(source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 LoadSignedBytes(byte* source) => new(Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 BroadcastFloat(float value) => new(Vector512.Create(value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 LoadFloats(float* source) => new(Vector512.Load(source).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFloats(Rows512 value, float* target) => value._value.AsSingle().Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 LoadHalves(byte* source) =>
        new(Lanes512.WidenHalf(Avx512F.ConvertToVector512Int32(Vector256.Load((ushort*)source))).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 LoadBrains(byte* source) => new(Avx512F.ConvertToVector512Int32(Vector256.Load((ushort*)source)) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 ToFloats(Rows512 integers) =>
        new(Avx512F.ConvertToVector512Single(integers._value).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 MultiplyFloats(Rows512 left, Rows512 right) =>
        new((left._value.AsSingle() * right._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows512 FusedMultiplyAdd(Rows512 left, Rows512 right, Rows512 sum) =>
        new(Avx512F.FusedMultiplyAdd(left._value.AsSingle(), right._value.AsSingle(), sum._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<sbyte> Four(byte* x) => Vector512.Create(*(int*)x).AsSByte();
}
