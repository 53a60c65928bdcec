namespace Pure.Engine.Kernels;

/// <summary>
/// Operations in which element i of the result depends on element i of the operands alone: the
/// definitions over a range, and vector bodies that leave the last few elements to them.
/// </summary>
internal static unsafe class ElementwiseKernels
{
    private const float ClampLimit = 7f;
    private const float ClampSlope = 1.702f;

    /// <summary>output = silu(gate) · up, the gated unit of Shazeer 2020. output may be gate or up.</summary>
    internal static void SwiGlu(float* gate, float* up, float* output, int begin, int end)
    {
        for (int i = begin; i < end; i++)
            output[i] = Elementary.Silu(gate[i]) * up[i];
    }

    /// <summary>output = gelu(gate) · up. output may be gate or up.</summary>
    internal static void GeGlu(float* gate, float* up, float* output, int begin, int end)
    {
        for (int i = begin; i < end; i++)
            output[i] = Elementary.Gelu(gate[i]) * up[i];
    }

    /// <summary>
    /// With g = gate up to 7 and u = up within ±7: output = g · sigmoid(1.702 · g) · (u + 1), the gated unit of gpt-oss (model card,
    /// arXiv:2508.10925; constants of its published code). output may be gate or up.
    /// </summary>
    internal static void ClampedSwiGlu(float* gate, float* up, float* output, int begin, int end)
    {
        for (int i = begin; i < end; i++)
        {
            float g = gate[i] > ClampLimit ? ClampLimit : gate[i];
            float u = up[i] < -ClampLimit ? -ClampLimit : up[i];
            u = u > ClampLimit ? ClampLimit : u;
            output[i] = g / (1f + Elementary.Exp(-(ClampSlope * g))) * (u + 1f);
        }
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

    /// <summary>y = y · factor.</summary>
    internal static void Multiply(float* y, float factor, int begin, int end)
    {
        for (int i = begin; i < end; i++)
            y[i] *= factor;
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

    internal static void SwiGlu<TLanes>(float* gate, float* up, float* output, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
            TLanes.Store(Elementary.Silu(TLanes.Load(gate + i)) * TLanes.Load(up + i), output + i);
        SwiGlu(gate, up, output, i, count);
    }

    internal static void GeGlu<TLanes>(float* gate, float* up, float* output, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
            TLanes.Store(Elementary.Gelu(TLanes.Load(gate + i)) * TLanes.Load(up + i), output + i);
        GeGlu(gate, up, output, i, count);
    }

    internal static void ClampedSwiGlu<TLanes>(float* gate, float* up, float* output, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes limit = TLanes.Broadcast(ClampLimit);
        TLanes slope = TLanes.Broadcast(ClampSlope);
        TLanes one = TLanes.Broadcast(1f);
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
        {
            TLanes g = TLanes.Clamp(TLanes.Load(gate + i), TLanes.Broadcast(float.NegativeInfinity), limit);
            TLanes u = TLanes.Clamp(TLanes.Load(up + i), -limit, limit);
            TLanes.Store(g / (one + Elementary.Exp(-(slope * g))) * (u + one), output + i);
        }

        ClampedSwiGlu(gate, up, output, i, count);
    }

    internal static void Add<TLanes>(float* y, float* x, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
            TLanes.Store(TLanes.Load(y + i) + TLanes.Load(x + i), y + i);
        Add(y, x, i, count);
    }

    internal static void AddScaled<TLanes>(float* y, float scale, float* x, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes scales = TLanes.Broadcast(scale);
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
            TLanes.Store(TLanes.FusedMultiplyAdd(scales, TLanes.Load(x + i), TLanes.Load(y + i)), y + i);
        AddScaled(y, scale, x, i, count);
    }

    internal static void MergeScaled<TLanes>(float* left, float leftScale, float* right, float rightScale, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes leftScales = TLanes.Broadcast(leftScale);
        TLanes rightScales = TLanes.Broadcast(rightScale);
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
            TLanes.Store(TLanes.FusedMultiplyAdd(TLanes.Load(left + i), leftScales, TLanes.Load(right + i) * rightScales), left + i);
        MergeScaled(left, leftScale, right, rightScale, i, count);
    }

    internal static void Divide<TLanes>(float* y, float divisor, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes divisors = TLanes.Broadcast(divisor);
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
            TLanes.Store(TLanes.Load(y + i) / divisors, y + i);
        Divide(y, divisor, i, count);
    }

    internal static void Multiply<TLanes>(float* y, float factor, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes factors = TLanes.Broadcast(factor);
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
            TLanes.Store(TLanes.Load(y + i) * factors, y + i);
        Multiply(y, factor, i, count);
    }

    internal static bool AllFinite<TLanes>(float* x, int count)
        where TLanes : struct, ILanes<TLanes>
    {
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
        {
            if (!TLanes.AllFinite(TLanes.Load(x + i)))
                return false;
        }

        return AllFinite(x, i, count);
    }
}
