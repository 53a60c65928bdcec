using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>
/// A thread's sums of several queries that meet the same keys, or of several rows that meet the same weights, one in each register: each
/// element is loaded and widened once for all of them.
/// </summary>
/// <typeparam name="TSelf">The sums themselves.</typeparam>
internal interface IJointSums<TSelf>
    where TSelf : struct, IJointSums<TSelf>
{
    /// <summary>How many.</summary>
    int Count { get; }

    /// <summary>
    /// <paramref name="x"/> times <paramref name="factors"/>[<paramref name="at"/> + i] more in sum i. Four factors are read at once: they lie
    /// in memory that was allocated as <see cref="Four"/>, from a multiple of four on.
    /// </summary>
    TSelf Add(TSelf sums, float x, ArrayView<float> factors, int at);

    /// <summary>Each sum over <paramref name="lanes"/> neighbouring lanes, a power of two, in one order for all of them.</summary>
    TSelf OverLanes(TSelf sums, int lanes);

    /// <summary>Writes <paramref name="scale"/> times sum i to <paramref name="target"/>[<paramref name="at"/> + i].</summary>
    void Write(TSelf sums, ArrayView<float> target, int at, float scale);
}

internal struct JointSums1 : IJointSums<JointSums1>
{
    private float _sum;

    public readonly int Count => 1;

    public readonly JointSums1 Add(JointSums1 sums, float x, ArrayView<float> factors, int at) => Plus(sums, x, factors[at]);

    internal static JointSums1 Plus(JointSums1 sums, float x, float factor) => new() { _sum = sums._sum + (x * factor) };

    public readonly JointSums1 OverLanes(JointSums1 sums, int lanes)
    {
        float sum = sums._sum;
        for (int distance = lanes / 2; distance > 0; distance >>= 1)
            sum += Warp.ShuffleXor(sum, distance);
        return new JointSums1 { _sum = sum };
    }

    public readonly void Write(JointSums1 sums, ArrayView<float> target, int at, float scale) => target[at] = sums._sum * scale;
}

internal struct JointSums2 : IJointSums<JointSums2>
{
    private JointSums1 _low;
    private JointSums1 _high;

    public readonly int Count => 2;

    public readonly JointSums2 Add(JointSums2 sums, float x, ArrayView<float> factors, int at) => Plus(sums, x, factors[at], factors[at + 1]);

    internal static JointSums2 Plus(JointSums2 sums, float x, float first, float second) => new()
    {
        _low = JointSums1.Plus(sums._low, x, first),
        _high = JointSums1.Plus(sums._high, x, second),
    };

    public readonly JointSums2 OverLanes(JointSums2 sums, int lanes) => new()
    {
        _low = default(JointSums1).OverLanes(sums._low, lanes),
        _high = default(JointSums1).OverLanes(sums._high, lanes),
    };

    public readonly void Write(JointSums2 sums, ArrayView<float> target, int at, float scale)
    {
        default(JointSums1).Write(sums._low, target, at, scale);
        default(JointSums1).Write(sums._high, target, at + 1, scale);
    }
}

internal struct JointSums4 : IJointSums<JointSums4>
{
    private JointSums2 _low;
    private JointSums2 _high;

    public readonly int Count => 4;

    public readonly JointSums4 Add(JointSums4 sums, float x, ArrayView<float> factors, int at)
    {
        Four four = factors.Cast<Four>()[at / Four.Count];
        return new JointSums4
        {
            _low = JointSums2.Plus(sums._low, x, four.X, four.Y),
            _high = JointSums2.Plus(sums._high, x, four.Z, four.W),
        };
    }

    public readonly JointSums4 OverLanes(JointSums4 sums, int lanes) => new()
    {
        _low = default(JointSums2).OverLanes(sums._low, lanes),
        _high = default(JointSums2).OverLanes(sums._high, lanes),
    };

    public readonly void Write(JointSums4 sums, ArrayView<float> target, int at, float scale)
    {
        default(JointSums2).Write(sums._low, target, at, scale);
        default(JointSums2).Write(sums._high, target, at + 2, scale);
    }
}

internal struct JointSums8 : IJointSums<JointSums8>
{
    private JointSums4 _low;
    private JointSums4 _high;

    public readonly int Count => 8;

    public readonly JointSums8 Add(JointSums8 sums, float x, ArrayView<float> factors, int at) => new()
    {
        _low = default(JointSums4).Add(sums._low, x, factors, at),
        _high = default(JointSums4).Add(sums._high, x, factors, at + 4),
    };

    public readonly JointSums8 OverLanes(JointSums8 sums, int lanes) => new()
    {
        _low = default(JointSums4).OverLanes(sums._low, lanes),
        _high = default(JointSums4).OverLanes(sums._high, lanes),
    };

    public readonly void Write(JointSums8 sums, ArrayView<float> target, int at, float scale)
    {
        default(JointSums4).Write(sums._low, target, at, scale);
        default(JointSums4).Write(sums._high, target, at + 4, scale);
    }
}
