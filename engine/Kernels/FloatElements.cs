using System.Runtime.CompilerServices;
using Pure.Engine.Quantization;

namespace Pure.Engine.Kernels;

/// <summary>How floats of one width are read: sixteen, or the last few.</summary>
internal unsafe interface IFloatElement
{
    static abstract int Bytes { get; }

    static abstract float LoadOne(byte* source);

    static abstract TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes>;
}

/// <summary>Sixteen lanes of which the memory holds fewer.</summary>
internal static unsafe class Part
{
    /// <summary>The first <paramref name="count"/> elements, then <paramref name="fill"/>; reads no further than it may.</summary>
    /// <remarks>A fused multiply-add of −0 and +0 leaves any sum as it is, −0 included; of +0 and +0 it would not.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static TLanes Load<TLanes, TElement>(byte* source, int count, float fill)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        float* padded = stackalloc float[FloatDot.Lanes];
        for (int i = 0; i < FloatDot.Lanes; i++)
            padded[i] = i < count ? TElement.LoadOne(source + (i * TElement.Bytes)) : fill;
        return TLanes.Load(padded);
    }
}

internal readonly unsafe struct SingleElement : IFloatElement
{
    public static int Bytes => sizeof(float);

    public static float LoadOne(byte* source) => *(float*)source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes> => TLanes.Load((float*)source);
}

internal readonly unsafe struct HalfElement : IFloatElement
{
    public static int Bytes => sizeof(ushort);

    public static float LoadOne(byte* source) => F16.Widen(*(ushort*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes> => TLanes.LoadHalf((ushort*)source);
}

internal readonly unsafe struct BrainElement : IFloatElement
{
    public static int Bytes => sizeof(ushort);

    public static float LoadOne(byte* source) => BitConverter.Int32BitsToSingle(*(ushort*)source << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes> => TLanes.LoadBrain((ushort*)source);
}
