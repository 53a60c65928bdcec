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
        return TLanes.Sum(i == count ? sums : AddRest(sums, a + i, b + i, count - i));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TLanes AddRest<TLanes>(TLanes sums, float* a, float* b, int count)
        where TLanes : struct, ILanes<TLanes> =>
        TLanes.FusedMultiplyAdd(
            Part.Load<TLanes, SingleElement>((byte*)a, count, -0f), Part.Load<TLanes, SingleElement>((byte*)b, count, 0), sums);

    /// <summary>Four rows with one vector: their chains of additions overlap and x is read once.</summary>
    internal static Vector128<float> Vector4<TLanes, TElement>(byte* row0, byte* row1, byte* row2, byte* row3, float* x, int count)
        where TLanes : struct, ILanes<TLanes>
        where TElement : struct, IFloatElement
    {
        FourSums<TLanes> sums = default;
        int whole = sums.AddWhole<TElement>(row0, row1, row2, row3, x, count);
        return whole == count
            ? sums.Tree()
            : FourSums<TLanes>.AddRest<TElement>(sums, row0, row1, row2, row3, x, whole, count).Tree();
    }
}
