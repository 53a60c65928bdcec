using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Pure.Engine.Kernels;

/// <summary>
/// The dot product of floats: sixteen partial sums, element i in sum i mod 16, one fused multiply-add each, from zero; then the
/// tree 16→8→4→2→1 in which sum j takes sum j + half. The order of every float product in the engine, q·k included.
/// </summary>
internal static unsafe class FloatDot
{
    internal const int Lanes = 16;

    /// <summary>The definition.</summary>
    internal static float Scalar(float* a, float* b, int count)
    {
        float* sums = stackalloc float[Lanes];
        Clear(sums);
        for (int i = 0; i < count; i++)
            sums[i % Lanes] = MathF.FusedMultiplyAdd(a[i], b[i], sums[i % Lanes]);
        return Tree(sums);
    }

    internal static void Clear(float* sums)
    {
        for (int lane = 0; lane < Lanes; lane++)
            sums[lane] = 0;
    }

    /// <summary>The fixed tree over sixteen partial sums, which it overwrites.</summary>
    internal static float Tree(float* sums)
    {
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int lane = 0; lane < half; lane++)
                sums[lane] += sums[lane + half];
        }

        return sums[0];
    }

    internal static float Vector<TLanes>(float* a, float* b, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes sums = TLanes.Broadcast(0);
        int i = 0;
        for (; i <= count - Lanes; i += Lanes)
            sums = TLanes.FusedMultiplyAdd(TLanes.Load(a + i), TLanes.Load(b + i), sums);
        if (i < count)
        {
            TLanes lastA = Part.Load<TLanes, SingleElement>((byte*)(a + i), count - i, -0f);
            TLanes lastB = Part.Load<TLanes, SingleElement>((byte*)(b + i), count - i, 0);
            sums = TLanes.FusedMultiplyAdd(lastA, lastB, sums);
        }

        return TLanes.Sum(sums);
    }

    /// <summary>Four rows with one vector: their chains of additions overlap and x is read once.</summary>
    internal static Vector128<float> Vector4<TLanes, TElement>(byte* row0, byte* row1, byte* row2, byte* row3, float* x, int count)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        TLanes sums0 = TLanes.Broadcast(0);
        TLanes sums1 = sums0;
        TLanes sums2 = sums0;
        TLanes sums3 = sums0;
        int i = 0;
        for (; i <= count - Lanes; i += Lanes)
        {
            TLanes xs = TLanes.Load(x + i);
            nint offset = (nint)i * TElement.Bytes;
            sums0 = TLanes.FusedMultiplyAdd(TElement.Load<TLanes>(row0 + offset), xs, sums0);
            sums1 = TLanes.FusedMultiplyAdd(TElement.Load<TLanes>(row1 + offset), xs, sums1);
            sums2 = TLanes.FusedMultiplyAdd(TElement.Load<TLanes>(row2 + offset), xs, sums2);
            sums3 = TLanes.FusedMultiplyAdd(TElement.Load<TLanes>(row3 + offset), xs, sums3);
        }

        if (i < count)
        {
            int rest = count - i;
            TLanes xs = Part.Load<TLanes, SingleElement>((byte*)(x + i), rest, 0);
            nint offset = (nint)i * TElement.Bytes;
            sums0 = TLanes.FusedMultiplyAdd(Part.Load<TLanes, TElement>(row0 + offset, rest, -0f), xs, sums0);
            sums1 = TLanes.FusedMultiplyAdd(Part.Load<TLanes, TElement>(row1 + offset, rest, -0f), xs, sums1);
            sums2 = TLanes.FusedMultiplyAdd(Part.Load<TLanes, TElement>(row2 + offset, rest, -0f), xs, sums2);
            sums3 = TLanes.FusedMultiplyAdd(Part.Load<TLanes, TElement>(row3 + offset, rest, -0f), xs, sums3);
        }

        return TLanes.Sum4(sums0, sums1, sums2, sums3);
    }
}
