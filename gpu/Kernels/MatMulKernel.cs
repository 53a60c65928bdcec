using System.Reflection;
using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Quantised weights × many rows of 8-bit activations, on warps of 32. A group makes a tile of 64 slots and sixteen outputs for each of its
/// warps: the slots' codes lie in shared memory, four blocks of 32 columns at a time; each warp reads its own weights, from which
/// <see cref="ITensorCores"/> makes whole sums of a block, and adds what they are worth to floats, block after block. A tile of up to 8, 16
/// or 32 slots, as experts have, leaves out the rest; what shared memory holds where no slot is meets nothing that is written.
/// </summary>
internal static class MatMulKernel
{
    /// <summary>Lanes of a warp: the only number that the tensor cores know.</summary>
    internal const int Lanes = 32;

    /// <summary>Slots of a tile.</summary>
    internal const int Slots = 64;

    /// <summary>Outputs of a warp.</summary>
    internal const int OutputsOfWarp = 16;

    private const int Blocks = 4;

    // Nine pieces of 16 bytes for eight: the eight slots that a warp reads at once then begin in different banks.
    private const int SlotQuads = (2 * Blocks) + 1;

    /// <summary>What is compiled for CUDA, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints =>
    [
        Method(Run<ByteCodes, HalfScale, CudaTensorCores>), Method(Run<NibbleCodes, HalfScaleOfEight, CudaTensorCores>),
        Method(Run<NibbleCodes, SuperScaleAndMin, CudaTensorCores>), Method(Run<ByteCodes, SuperScaleAndMin, CudaTensorCores>),
        Method(Run<SixBitCodes, SuperScalePair, CudaTensorCores>),
        Method(Run<NamedCodes<UnevenValues, CudaByteMath>, HalfScale, CudaTensorCores>),
        Method(Run<NamedCodes<Float4Values, CudaByteMath>, PowerOfTwoScale, CudaTensorCores>),
    ];

    /// <summary>
    /// Groups stand over outputs (x), tiles of slots (y) and, where slots are sorted by expert, experts (z); a tile beyond the last slot, or its
    /// expert's last, has nothing to do.
    /// </summary>
    internal static void Run<TCodes, TScales, TTensor>(WeightView weights, InputView input, Product product)
        where TCodes : struct, IBlockCodes
        where TScales : struct, IBlockScales
        where TTensor : struct, ITensorCores
    {
        ArrayView<Quad> tile = SharedMemory.Allocate<Quad>(Slots * SlotQuads);
        ArrayView<Four> scales = SharedMemory.Allocate<Four>(Blocks * Slots / 2);
        ArrayView<int> codes = tile.Cast<int>();
        ArrayView<float> scale = scales.Cast<float>();
        int expert = Grid.IdxZ;
        int firstSlot = product.FirstSlot(expert) + (Grid.IdxY * Slots);
        int slots = product.EndSlot(expert) - firstSlot;
        if (slots <= 0)
            return;

        // Of the warp's sixteen outputs a lane has two, and of eight slots one to read and two to write.
        int g = Warp.LaneIdx / 4;
        int t = Warp.LaneIdx % 4;
        int output = (((Grid.IdxX * (Group.DimX / Lanes)) + (Group.IdxX / Lanes)) * OutputsOfWarp) + g;
        long firstRow = (long)expert * product.Rows;
        long upper = (firstRow + Math.Min(output, product.Rows - 1)) * product.Blocks;
        long lower = (firstRow + Math.Min(output + 8, product.Rows - 1)) * product.Blocks;
        int read = (g * SlotQuads * 4) + t;
        Four y0 = default, y1 = default, y2 = default, y3 = default, y4 = default, y5 = default, y6 = default, y7 = default;
        for (int first = 0; first < product.Blocks; first += Blocks)
        {
            int blocks = Math.Min(Blocks, product.Blocks - first);
            Group.Barrier();
            for (int i = Group.IdxX; i < Math.Min(slots, Slots) * Blocks; i += Group.DimX)
            {
                int slot = i / Blocks;
                int block = i % Blocks;
                long x = ((long)product.InputRow(firstSlot + slot) * product.Blocks) + first + Math.Min(block, blocks - 1);
                tile[(slot * SlotQuads) + (2 * block)] = input.Codes[x * 2];
                tile[(slot * SlotQuads) + (2 * block) + 1] = input.Codes[(x * 2) + 1];
                int at = (((block * Slots) + slot) / 2 * 4) + (slot % 2);
                scale[at] = input.Scales[x];
                scale[at + 2] = -input.Scales[x] * input.Sums[x];
            }

            Group.Barrier();
            for (int block = 0; block < blocks; block++)
            {
                Pair above = default(TCodes).LoadPart(weights, upper + first + block, t);
                Pair below = default(TCodes).LoadPart(weights, lower + first + block, t);
                Scales32 aboveScales = default(TScales).Load(weights, upper + first + block);
                Scales32 belowScales = default(TScales).Load(weights, lower + first + block);
                var rows = new TwoRows(above, below, aboveScales, belowScales);
                int at = read + (block * 8);
                int two = (block * Slots / 2) + t;
                y0 = Add<TScales, TTensor>(y0, rows, codes, at, scales[two]);
                if (slots > 8)
                    y1 = Add<TScales, TTensor>(y1, rows, codes, at + (8 * SlotQuads * 4), scales[two + 4]);

                if (slots > 16)
                {
                    y2 = Add<TScales, TTensor>(y2, rows, codes, at + (16 * SlotQuads * 4), scales[two + 8]);
                    y3 = Add<TScales, TTensor>(y3, rows, codes, at + (24 * SlotQuads * 4), scales[two + 12]);
                }

                if (slots > 32)
                {
                    y4 = Add<TScales, TTensor>(y4, rows, codes, at + (32 * SlotQuads * 4), scales[two + 16]);
                    y5 = Add<TScales, TTensor>(y5, rows, codes, at + (40 * SlotQuads * 4), scales[two + 20]);
                    y6 = Add<TScales, TTensor>(y6, rows, codes, at + (48 * SlotQuads * 4), scales[two + 24]);
                    y7 = Add<TScales, TTensor>(y7, rows, codes, at + (56 * SlotQuads * 4), scales[two + 28]);
                }
            }
        }

        if (output >= product.Rows)
            return;
        var target = new TileTarget(product, expert, firstSlot + (2 * t), slots - (2 * t), output);
        target.Write(0, y0);
        target.Write(8, y1);
        target.Write(16, y2);
        target.Write(24, y3);
        target.Write(32, y4);
        target.Write(40, y5);
        target.Write(48, y6);
        target.Write(56, y7);
    }

    /// <summary>Adds a block of two rows of weights and eight slots.</summary>
    /// <param name="y">What the lane has so far.</param>
    /// <param name="rows">The weights.</param>
    /// <param name="codes">The slots' codes.</param>
    /// <param name="at">Where the lane's begin.</param>
    /// <param name="scales">Scales of its two slots, and their negative products with the sums of codes.</param>
    private static Four Add<TScales, TTensor>(Four y, TwoRows rows, ArrayView<int> codes, int at, Four scales)
        where TScales : struct, IBlockScales
        where TTensor : struct, ITensorCores
    {
        int b0 = codes[at];
        int b1 = codes[at + 4];
        Four dots = default(TScales).HasPair
            ? Plus(
                Worth(default(TTensor).Of16(rows.Above.X, rows.Below.X, b0), rows.AboveScales.Low, rows.BelowScales.Low),
                Worth(default(TTensor).Of16(rows.Above.Y, rows.Below.Y, b1), rows.AboveScales.High, rows.BelowScales.High))
            : Worth(
                default(TTensor).Of32(rows.Above.X, rows.Below.X, rows.Above.Y, rows.Below.Y, b0, b1), rows.AboveScales.Low, rows.BelowScales.Low);
        Four result = Plus(y, new(dots.X * scales.X, dots.Y * scales.Y, dots.Z * scales.X, dots.W * scales.Y));
        return default(TScales).HasMin
            ? Plus(result, new(
                rows.AboveScales.Min * scales.Z, rows.AboveScales.Min * scales.W, rows.BelowScales.Min * scales.Z, rows.BelowScales.Min * scales.W))
            : result;
    }

    private static Four Worth(Sums4 sums, float above, float below) => new(sums.X * above, sums.Y * above, sums.Z * below, sums.W * below);

    private static Four Plus(Four a, Four b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);

    private static MethodInfo Method(Action<WeightView, InputView, Product> kernel) => kernel.Method;

    /// <summary>A lane's share of a block of weights: of two rows eight codes each, and what they mean.</summary>
    private readonly struct TwoRows(Pair above, Pair below, Scales32 aboveScales, Scales32 belowScales)
    {
        internal readonly Pair Above = above;
        internal readonly Pair Below = below;
        internal readonly Scales32 AboveScales = aboveScales;
        internal readonly Scales32 BelowScales = belowScales;
    }
}
