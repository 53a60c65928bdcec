using System.Reflection;
using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Activations to 8-bit blocks of 32, by the engine's definition (Quantization/Q8Activations), to the bit: four lanes make a block, eight
/// columns each.
/// </summary>
internal static class QuantizeKernel
{
    /// <summary>Lanes that make a block; every warp is a multiple.</summary>
    internal const int LanesOfBlock = 4;

    private const int Infinity = 0x7F80_0000;

    // 2^-100: below it a block is zero.
    private const int LeastMagnitude = (127 - 100) << 23;

    // 1.5 · 2^52: a double this large has no fraction, so that adding it rounds to a whole number, halves to even; the low bits hold it.
    private const double Whole = 6755399441055744;

    /// <summary>What is compiled, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints => [((Action<ArrayView<Four>, ArrayView<Pair>, ArrayView<float>, ArrayView<int>, int>)Run).Method];

    /// <param name="values"><c>[blocks, 8]</c>.</param>
    /// <param name="codes">Receives <c>[blocks, 4]</c>.</param>
    /// <param name="scales">Receives <c>[blocks]</c>.</param>
    /// <param name="sums">Receives <c>[blocks]</c>.</param>
    /// <param name="blocks">Blocks of all rows.</param>
    internal static void Run(ArrayView<Four> values, ArrayView<Pair> codes, ArrayView<float> scales, ArrayView<int> sums, int blocks)
    {
        int thread = (Grid.IdxX * Group.DimX) + Group.IdxX;
        int eights = blocks * LanesOfBlock;
        long eight = Math.Min(thread, eights - 1);
        Store(values[eight * 2], values[(eight * 2) + 1], eight, thread < eights, codes, scales, sums);
    }

    /// <summary>
    /// Writes the 8-bit form of eight columns. The lanes of a warp come here together, with eights side by side, of which four make a block;
    /// those past the end, which is the end of a block, bring anything and write nothing.
    /// </summary>
    internal static void Store(
        Four a, Four b, long eight, bool isInside, ArrayView<Pair> codes, ArrayView<float> scales, ArrayView<int> sums)
    {
        // Magnitudes of floats are ordered as their bits; NaN comes above infinity.
        int largest = Math.Max(
            Math.Max(Math.Max(Magnitude(a.X), Magnitude(a.Y)), Math.Max(Magnitude(a.Z), Magnitude(a.W))),
            Math.Max(Math.Max(Magnitude(b.X), Magnitude(b.Y)), Math.Max(Magnitude(b.Z), Magnitude(b.W))));
        largest = Math.Max(largest, Warp.ShuffleXor(largest, 1));
        largest = Math.Max(largest, Warp.ShuffleXor(largest, 2));
        bool isUsual = largest >= LeastMagnitude && largest < Infinity;
        float amax = Interop.IntAsFloat((uint)largest);
        float inverse = 127f / amax;
        float scale = isUsual ? amax / 127f : largest < LeastMagnitude ? 0 : float.NaN;
        int mask = isUsual ? -1 : 0;
        int a0 = Code(a.X, inverse) & mask;
        int a1 = Code(a.Y, inverse) & mask;
        int a2 = Code(a.Z, inverse) & mask;
        int a3 = Code(a.W, inverse) & mask;
        int b0 = Code(b.X, inverse) & mask;
        int b1 = Code(b.Y, inverse) & mask;
        int b2 = Code(b.Z, inverse) & mask;
        int b3 = Code(b.W, inverse) & mask;
        int sum = a0 + a1 + a2 + a3 + b0 + b1 + b2 + b3;
        sum += Warp.ShuffleXor(sum, 1);
        sum += Warp.ShuffleXor(sum, 2);
        if (isInside)
            codes[eight] = new(Pack(a0, a1, a2, a3), Pack(b0, b1, b2, b3));
        if (isInside && eight % LanesOfBlock == 0)
        {
            scales[eight / LanesOfBlock] = scale;
            sums[eight / LanesOfBlock] = sum;
        }
    }

    private static int Magnitude(float value) => (int)(Interop.FloatAsInt(value) & 0x7FFF_FFFF);

    /// <summary>The product is rounded before it is widened, so that nothing can fuse it with the addition.</summary>
    private static int Code(float value, float inverse) => (int)Interop.FloatAsInt((double)(value * inverse) + Whole);

    private static int Pack(int a, int b, int c, int d) => (a & 0xFF) | ((b & 0xFF) << 8) | ((c & 0xFF) << 16) | (d << 24);
}
