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
}
