using System.Reflection;
using ILGPU;
using Pure.Engine.Kernels;

namespace Pure.Gpu.Kernels;

/// <summary>
/// The gated units of a feed-forward network (Shazeer 2020, arXiv:2002.05202), with the engine's own exponential: on the CPU accelerator
/// the engine's bits.
/// </summary>
internal static class GateKernel
{
    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints =>
    [
        Entry<One, Silu>(), Entry<One, Gelu>(), Entry<One, ClampedSilu>(),
        Entry<Four, Silu>(), Entry<Four, Gelu>(), Entry<Four, ClampedSilu>(),
        QuantizedEntry<Silu>(), QuantizedEntry<Gelu>(), QuantizedEntry<ClampedSilu>(),
    ];

    /// <summary>y = activation(gate) ⊙ up; groups are (row, tile of columns), a thread has one column.</summary>
    /// <param name="gate"><c>[rows, columns]</c>.</param>
    /// <param name="gateStride">From a row of the gate to the next.</param>
    /// <param name="up"><c>[rows, columns]</c>.</param>
    /// <param name="upStride">From a row of up to the next.</param>
    /// <param name="y"><c>[rows, columns]</c>; may be <paramref name="gate"/> or <paramref name="up"/>.</param>
    /// <param name="yStride">From a row of y to the next.</param>
    /// <param name="columns">Columns of a row.</param>
    internal static void Run<TFloats, TActivation>(
        ArrayView<TFloats> gate, int gateStride, ArrayView<TFloats> up, int upStride, ArrayView<TFloats> y, int yStride, int columns)
        where TFloats : unmanaged, IFloats<TFloats>
        where TActivation : struct, IActivation
    {
        int column = (Grid.IdxY * Group.DimX) + Group.IdxX;
        if (column >= columns)
            return;
        long row = Grid.IdxX;
        y[(row * yStride) + column] = TFloats.Gate<TActivation>(gate[(row * gateStride) + column], up[(row * upStride) + column]);
    }

    /// <summary>y = activation(gate) ⊙ up with its 8-bit form; a thread has eight columns, numbered through all rows.</summary>
    /// <param name="gate"><c>[rows, columns]</c>.</param>
    /// <param name="gateStride">From a row of the gate to the next.</param>
    /// <param name="up"><c>[rows, columns]</c>.</param>
    /// <param name="upStride">From a row of up to the next.</param>
    /// <param name="y"><c>[rows, columns]</c>.</param>
    /// <param name="eights">Eights of columns of a row.</param>
    /// <param name="eightsOfAll">Eights of columns of all rows.</param>
    internal static void RunQuantized<TActivation>(
        ArrayView<Four> gate, int gateStride, ArrayView<Four> up, int upStride, InputView y, int eights, int eightsOfAll)
        where TActivation : struct, IActivation
    {
        int thread = (Grid.IdxX * Group.DimX) + Group.IdxX;
        int eight = IntrinsicMath.Min(thread, eightsOfAll - 1);
        long row = eight / eights;
        long column = 2 * (eight % eights);
        long fromGate = (row * gateStride) + column;
        long fromUp = (row * upStride) + column;
        Four a = Four.Gate<TActivation>(gate[fromGate], up[fromUp]);
        Four b = Four.Gate<TActivation>(gate[fromGate + 1], up[fromUp + 1]);
        y.Store(a, b, eight, thread < eightsOfAll);
    }

    private static MethodInfo QuantizedEntry<TActivation>()
        where TActivation : struct, IActivation =>
        ((Action<ArrayView<Four>, int, ArrayView<Four>, int, InputView, int, int>)RunQuantized<TActivation>).Method;

    private static MethodInfo Entry<TFloats, TActivation>()
        where TFloats : unmanaged, IFloats<TFloats>
        where TActivation : struct, IActivation =>
        ((Action<ArrayView<TFloats>, int, ArrayView<TFloats>, int, ArrayView<TFloats>, int, int>)Run<TFloats, TActivation>).Method;
}

/// <summary><see cref="GateActivation.Silu"/>.</summary>
internal struct Silu : IActivation
{
    public static float Gate(float gate, float up) => Elementary.Silu(gate) * up;
}

/// <summary><see cref="GateActivation.Gelu"/>.</summary>
internal struct Gelu : IActivation
{
    public static float Gate(float gate, float up) => Elementary.Gelu(gate) * up;
}

/// <summary><see cref="GateActivation.ClampedSilu"/>; the engine's constants (gpt-oss model card, arXiv:2508.10925).</summary>
internal struct ClampedSilu : IActivation
{
    private const float Limit = 7f;
    private const float Slope = 1.702f;

    public static float Gate(float gate, float up)
    {
        float g = gate > Limit ? Limit : gate;
        float u = up < -Limit ? -Limit : up;
        u = u > Limit ? Limit : u;
        return g / (1f + Elementary.Exp(-(Slope * g))) * (u + 1f);
    }
}
