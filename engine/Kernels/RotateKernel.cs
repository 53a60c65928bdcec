namespace Pure.Engine.Kernels;

/// <summary>Rotary position embedding (Su et al. 2021, eq. 34): each pair of elements turns by its angle.</summary>
internal static unsafe class RotateKernel
{
    /// <summary>
    /// The definition, per pair: first' = fma(first, cos, −(second · sin)); second' = fma(first, sin, second · cos).
    /// Pairs are (2i, 2i + 1) when <paramref name="adjacent"/>, else (i, i + pairs).
    /// </summary>
    internal static void Scalar(float* x, float* cos, float* sin, int pairs, bool adjacent) =>
        Pairs(x, cos, sin, 0, pairs, adjacent ? 2 : 1, adjacent ? 1 : pairs);

    internal static void Vector<TLanes>(float* x, float* cos, float* sin, int pairs, bool adjacent)
        where TLanes : struct, ILanes<TLanes>
    {
        int i = 0;
        if (adjacent)
        {
            for (; i <= pairs - (FloatDot.Lanes / 2); i += FloatDot.Lanes / 2)
            {
                TLanes pair = TLanes.Load(x + (2 * i));
                TLanes other = TLanes.SwapPairs(pair);
                TLanes c = TLanes.LoadTwice(cos + i);
                TLanes s = TLanes.LoadTwice(sin + i);
                TLanes first = TLanes.FusedMultiplyAdd(pair, c, -(other * s));
                TLanes second = TLanes.FusedMultiplyAdd(other, s, pair * c);
                TLanes.Store(TLanes.Interleave(first, second), x + (2 * i));
            }
        }
        else
        {
            for (; i <= pairs - FloatDot.Lanes; i += FloatDot.Lanes)
            {
                TLanes first = TLanes.Load(x + i);
                TLanes second = TLanes.Load(x + pairs + i);
                TLanes c = TLanes.Load(cos + i);
                TLanes s = TLanes.Load(sin + i);
                TLanes.Store(TLanes.FusedMultiplyAdd(first, c, -(second * s)), x + i);
                TLanes.Store(TLanes.FusedMultiplyAdd(first, s, second * c), x + pairs + i);
            }
        }

        Pairs(x, cos, sin, i, pairs, adjacent ? 2 : 1, adjacent ? 1 : pairs);
    }

    private static void Pairs(float* x, float* cos, float* sin, int begin, int end, int step, int distance)
    {
        for (int i = begin; i < end; i++)
        {
            float first = x[i * step];
            float second = x[(i * step) + distance];
            x[i * step] = MathF.FusedMultiplyAdd(first, cos[i], -(second * sin[i]));
            x[(i * step) + distance] = MathF.FusedMultiplyAdd(first, sin[i], second * cos[i]);
        }
    }
}
