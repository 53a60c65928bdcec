using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels;

/// <summary>The sixteen partial sums of each of four dot products (<see cref="FloatDot"/>), which share one operand.</summary>
internal unsafe struct FourSums<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    private TLanes _0;
    private TLanes _1;
    private TLanes _2;
    private TLanes _3;

    /// <summary>Floats that <see cref="Store"/> writes.</summary>
    internal const int Floats = 4 * FloatDot.Lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FourSums<TLanes> Load(float* source)
    {
        FourSums<TLanes> sums;
        sums._0 = TLanes.Load(source);
        sums._1 = TLanes.Load(source + FloatDot.Lanes);
        sums._2 = TLanes.Load(source + (2 * FloatDot.Lanes));
        sums._3 = TLanes.Load(source + (3 * FloatDot.Lanes));
        return sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void Store(float* target)
    {
        TLanes.Store(_0, target);
        TLanes.Store(_1, target + FloatDot.Lanes);
        TLanes.Store(_2, target + (2 * FloatDot.Lanes));
        TLanes.Store(_3, target + (3 * FloatDot.Lanes));
    }

    /// <summary>Adds sixteen products to each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(TLanes row0, TLanes row1, TLanes row2, TLanes row3, TLanes x)
    {
        _0 = TLanes.FusedMultiplyAdd(row0, x, _0);
        _1 = TLanes.FusedMultiplyAdd(row1, x, _1);
        _2 = TLanes.FusedMultiplyAdd(row2, x, _2);
        _3 = TLanes.FusedMultiplyAdd(row3, x, _3);
    }

    /// <summary>Adds the products of four rows with x, as far as whole lanes reach; returns how far that is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int AddWhole<TElement>(byte* row0, byte* row1, byte* row2, byte* row3, float* x, int count)
        where TElement : struct, IFloatElement
    {
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
        {
            nint offset = (nint)i * TElement.Bytes;
            Add(
                TElement.Load<TLanes>(row0 + offset),
                TElement.Load<TLanes>(row1 + offset),
                TElement.Load<TLanes>(row2 + offset),
                TElement.Load<TLanes>(row3 + offset),
                TLanes.Load(x + i));
        }

        return i;
    }

    /// <summary>
    /// Adds the elements after <see cref="AddWhole"/>. Not inlined: sums that live across a call would be written to the stack in every
    /// turn of the loop before it.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static FourSums<TLanes> AddRest<TElement>(
        FourSums<TLanes> sums, byte* row0, byte* row1, byte* row2, byte* row3, float* x, int begin, int count)
        where TElement : struct, IFloatElement
    {
        int rest = count - begin;
        nint offset = (nint)begin * TElement.Bytes;
        sums.Add(
            Part.Load<TLanes, TElement>(row0 + offset, rest, -0f),
            Part.Load<TLanes, TElement>(row1 + offset, rest, -0f),
            Part.Load<TLanes, TElement>(row2 + offset, rest, -0f),
            Part.Load<TLanes, TElement>(row3 + offset, rest, -0f),
            Part.Load<TLanes, SingleElement>((byte*)(x + begin), rest, 0));
        return sums;
    }

    /// <summary>The four dot products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly Vector128<float> Tree() => TLanes.Sum4(_0, _1, _2, _3);

    /// <summary>The four dot products of what <see cref="Store"/> wrote.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> Tree(float* source) => TLanes.Sum4(
        TLanes.Load(source),
        TLanes.Load(source + FloatDot.Lanes),
        TLanes.Load(source + (2 * FloatDot.Lanes)),
        TLanes.Load(source + (3 * FloatDot.Lanes)));
}
