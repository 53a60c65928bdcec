namespace Pure.Engine.Kernels;

/// <summary>Operations in which element i of the result depends on element i of the operands alone: the definitions.</summary>
internal static unsafe class ElementwiseKernels
{
    /// <summary>output = silu(gate) · up, the gated unit of Shazeer 2020. output may be gate or up.</summary>
    internal static void SwiGlu(float* gate, float* up, float* output, int begin, int end)
    {
        for (int i = begin; i < end; i++)
            output[i] = Elementary.Silu(gate[i]) * up[i];
    }

    /// <summary>y = y + x.</summary>
    internal static void Add(float* y, float* x, int begin, int end)
    {
        for (int i = begin; i < end; i++)
            y[i] += x[i];
    }

    /// <summary>y = fma(scale, x, y).</summary>
    internal static void AddScaled(float* y, float scale, float* x, int begin, int end)
    {
        for (int i = begin; i < end; i++)
            y[i] = MathF.FusedMultiplyAdd(scale, x[i], y[i]);
    }

    /// <summary>left = fma(left, leftScale, right · rightScale).</summary>
    internal static void MergeScaled(float* left, float leftScale, float* right, float rightScale, int begin, int end)
    {
        for (int i = begin; i < end; i++)
            left[i] = MathF.FusedMultiplyAdd(left[i], leftScale, right[i] * rightScale);
    }

    /// <summary>y = y / divisor.</summary>
    internal static void Divide(float* y, float divisor, int begin, int end)
    {
        for (int i = begin; i < end; i++)
            y[i] /= divisor;
    }

    /// <summary>Whether no element is NaN or infinite.</summary>
    internal static bool AllFinite(float* x, int begin, int end)
    {
        for (int i = begin; i < end; i++)
        {
            if (!float.IsFinite(x[i]))
                return false;
        }

        return true;
    }
}
