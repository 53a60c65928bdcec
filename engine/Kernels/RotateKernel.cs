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
