using System.Reflection;
using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Matrix × few vectors: y[slot, row] = W[expert of slot, row] · x[input row of slot]. A warp makes one element; its lanes take blocks of 32
/// columns in turn, so that they read 512 bytes side by side, and add up at the end. Groups of warps stand over slots (x), whose neighbours
/// may share weights, and rows (y).
/// </summary>
internal static class MatVecKernel
{
    /// <summary>What is compiled for CUDA, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints =>
    [
        Method(Floats<Float32>), Method(Floats<Float16>), Method(Floats<BrainFloat16>),
        Method(Quantized<ByteCodes, HalfScale, CudaByteMath>), Method(Quantized<NibbleCodes, HalfScaleOfEight, CudaByteMath>),
        Method(Quantized<NibbleCodes, SuperScaleAndMin, CudaByteMath>), Method(Quantized<ByteCodes, SuperScaleAndMin, CudaByteMath>),
        Method(Quantized<SixBitCodes, SuperScalePair, CudaByteMath>),
        Method(Quantized<NamedCodes<UnevenValues, CudaByteMath>, HalfScale, CudaByteMath>),
        Method(Quantized<NamedCodes<Float4Values, CudaByteMath>, PowerOfTwoScale, CudaByteMath>),
    ];

    /// <summary>Quantised weights × 8-bit activations.</summary>
    internal static void Quantized<TCodes, TScales, TMath>(WeightView weights, InputView input, Product product)
        where TCodes : struct, IBlockCodes
        where TScales : struct, IBlockScales
        where TMath : struct, IByteMath
    {
        int row = (Grid.IdxY * (Group.DimX / Warp.WarpSize)) + (Group.IdxX / Warp.WarpSize);
        if (row >= product.Rows)
            return;
        int slot = Grid.IdxX;
        int expert = product.Expert(slot);
        long w = (((long)expert * product.Rows) + row) * product.Blocks;
        long x = (long)product.InputRow(slot) * product.Blocks;
        float sum = 0;
        int block = Warp.LaneIdx;

        // Two blocks at once: the second's bytes are on their way while the first's are used.
        for (; block + Warp.WarpSize < product.Blocks; block += 2 * Warp.WarpSize)
        {
            Codes32 codes = default(TCodes).Load(weights, w + block);
            Codes32 next = default(TCodes).Load(weights, w + block + Warp.WarpSize);
            Scales32 scales = default(TScales).Load(weights, w + block);
            Scales32 nextScales = default(TScales).Load(weights, w + block + Warp.WarpSize);
            sum += BlockDot<TMath>.Of(codes, scales, input, x + block);
            sum += BlockDot<TMath>.Of(next, nextScales, input, x + block + Warp.WarpSize);
        }

        if (block < product.Blocks)
            sum += BlockDot<TMath>.Of(default(TCodes).Load(weights, w + block), default(TScales).Load(weights, w + block), input, x + block);
        sum = WarpSum.Of(sum);
        if (Warp.LaneIdx == 0)
            product.Write(slot, expert, row, sum);
    }

    /// <summary>Floats × floats; the same cut, a lane takes eight columns at once.</summary>
    internal static void Floats<TFloat>(WeightView weights, InputView input, Product product)
        where TFloat : struct, IFloatWeights
    {
        int row = (Grid.IdxY * (Group.DimX / Warp.WarpSize)) + (Group.IdxX / Warp.WarpSize);
        if (row >= product.Rows)
            return;
        int slot = Grid.IdxX;
        int expert = product.Expert(slot);
        int eights = product.Blocks * 4;
        long w = (((long)expert * product.Rows) + row) * eights;
        long x = (long)product.InputRow(slot) * eights;
        float sum = 0;
        int eight = Warp.LaneIdx;
        for (; eight + Warp.WarpSize < eights; eight += 2 * Warp.WarpSize)
        {
            Floats8 values = default(TFloat).Load(weights, w + eight);
            Floats8 next = default(TFloat).Load(weights, w + eight + Warp.WarpSize);
            sum += values.Dot(input, x + eight);
            sum += next.Dot(input, x + eight + Warp.WarpSize);
        }

        if (eight < eights)
            sum += default(TFloat).Load(weights, w + eight).Dot(input, x + eight);
        sum = WarpSum.Of(sum);
        if (Warp.LaneIdx == 0)
            product.Write(slot, expert, row, sum);
    }

    private static MethodInfo Method(Action<WeightView, InputView, Product> kernel) => kernel.Method;
}
