using System.Runtime.CompilerServices;

namespace Pure.Engine.Kernels.Packed;

/// <summary>Sums of some rows with one or four columns of a panel: a format's products are written once over this type.</summary>
internal unsafe interface IColumns<TSelf, TRows>
    where TSelf : struct, IColumns<TSelf, TRows>
    where TRows : struct, IRowLanes<TRows>
{
    /// <summary><paramref name="factor"/> times a number of each column, the same for all rows.</summary>
    static abstract TSelf Times(int factor, int* numbers);

    /// <summary><see cref="IRowLanes{TSelf}.AddProducts"/> with each column, whose activations lie 32 bytes apart.</summary>
    TSelf AddProducts(TRows codes, byte* x);

    /// <summary><see cref="IRowLanes{TSelf}.AddSignedProducts"/> with each column.</summary>
    TSelf AddSignedProducts(TRows codes, byte* x);

    /// <inheritdoc cref="IRowLanes{TSelf}.Whole"/>
    TSelf Whole();

    /// <summary>Adds integers.</summary>
    static abstract TSelf operator +(TSelf left, TSelf right);

    /// <summary>Multiplies each column by an integer of each row.</summary>
    static abstract TSelf operator *(TSelf left, TRows right);
}

/// <summary>One column.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct OneColumn<TRows>(TRows sum) : IColumns<OneColumn<TRows>, TRows>
    where TRows : struct, IRowLanes<TRows>
{
    internal readonly TRows Sum = sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneColumn<TRows> Times(int factor, int* numbers) => new(TRows.Broadcast(factor * *numbers));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public OneColumn<TRows> AddProducts(TRows codes, byte* x) => new(TRows.AddProducts(Sum, codes, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public OneColumn<TRows> AddSignedProducts(TRows codes, byte* x) => new(TRows.AddSignedProducts(Sum, codes, x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public OneColumn<TRows> Whole() => new(TRows.Whole(Sum));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneColumn<TRows> operator +(OneColumn<TRows> left, OneColumn<TRows> right) => new(left.Sum + right.Sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneColumn<TRows> operator *(OneColumn<TRows> left, TRows right) => new(left.Sum * right);
}

/// <summary>Four columns that follow each other.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct FourColumns<TRows>(TRows first, TRows second, TRows third, TRows fourth) : IColumns<FourColumns<TRows>, TRows>
    where TRows : struct, IRowLanes<TRows>
{
    internal readonly TRows First = first;
    internal readonly TRows Second = second;
    internal readonly TRows Third = third;
    internal readonly TRows Fourth = fourth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns<TRows> Times(int factor, int* numbers) => new(
        TRows.Broadcast(factor * numbers[0]),
        TRows.Broadcast(factor * numbers[1]),
        TRows.Broadcast(factor * numbers[2]),
        TRows.Broadcast(factor * numbers[3]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FourColumns<TRows> AddProducts(TRows codes, byte* x) => new(
        TRows.AddProducts(First, codes, x),
        TRows.AddProducts(Second, codes, x + 32),
        TRows.AddProducts(Third, codes, x + 64),
        TRows.AddProducts(Fourth, codes, x + 96));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FourColumns<TRows> AddSignedProducts(TRows codes, byte* x) => new(
        TRows.AddSignedProducts(First, codes, x),
        TRows.AddSignedProducts(Second, codes, x + 32),
        TRows.AddSignedProducts(Third, codes, x + 64),
        TRows.AddSignedProducts(Fourth, codes, x + 96));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FourColumns<TRows> Whole() => new(TRows.Whole(First), TRows.Whole(Second), TRows.Whole(Third), TRows.Whole(Fourth));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns<TRows> operator +(FourColumns<TRows> left, FourColumns<TRows> right) => new(
        left.First + right.First, left.Second + right.Second, left.Third + right.Third, left.Fourth + right.Fourth);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourColumns<TRows> operator *(FourColumns<TRows> left, TRows right) => new(
        left.First * right, left.Second * right, left.Third * right, left.Fourth * right);
}
