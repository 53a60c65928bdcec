namespace Pure.Engine.Kernels;

/// <summary>Root-mean-square normalisation (Zhang and Sennrich 2019, eq. 4).</summary>
internal static unsafe class RmsNormKernel
{
    /// <summary>
    /// The definition: the sum of squares is <see cref="FloatDot"/> of x with itself; then one division, addition, square root and
    /// division; y = (x · scale) · weight. y may be x.
    /// </summary>
    internal static void Scalar(float* x, float* weight, int count, float epsilon, float* y)
    {
        float scale = Scale(FloatDot.Scalar(x, x, count), count, epsilon);
        for (int i = 0; i < count; i++)
            y[i] = x[i] * scale * weight[i];
    }

    internal static void Vector<TLanes>(float* x, float* weight, int count, float epsilon, float* y)
        where TLanes : struct, ILanes<TLanes>
    {
        float scale = Scale(FloatDot.Vector<TLanes>(x, x, count), count, epsilon);
        TLanes scales = TLanes.Broadcast(scale);
        int i = 0;
        for (; i <= count - FloatDot.Lanes; i += FloatDot.Lanes)
            TLanes.Store(TLanes.Load(x + i) * scales * TLanes.Load(weight + i), y + i);
        for (; i < count; i++)
            y[i] = x[i] * scale * weight[i];
    }

    private static float Scale(float sumOfSquares, int count, float epsilon) =>
        1f / MathF.Sqrt((sumOfSquares / count) + epsilon);
}
