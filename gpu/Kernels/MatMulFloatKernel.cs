using System.Reflection;
using ILGPU;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Weights of 16-bit floats × many rows of float activations, cut as in <see cref="MatMulKernel"/>. Tensor cores read such weights whole, and of
/// an activation the upper 19 bits, 11 of which are its fraction's; so each activation is two floats, the upper 11 bits and the next 11.
/// </summary>
internal static class MatMulFloatKernel
{
    // Columns of a slot in shared memory at once, in pairs; one pair of pairs more, so that eight slots begin in different banks.
    private const int Twos = 32;
    private const int SlotTwos = Twos + 4;

    /// <summary>What is compiled for CUDA, for whoever looks at it without running it.</summary>
    internal static IEnumerable<MethodInfo> EntryPoints => [Method(Run<Float16, CudaTensorCores>), Method(Run<BrainFloat16, CudaTensorCores>)];

    /// <summary>Groups stand as in <see cref="MatMulKernel"/>.</summary>
    internal static void Run<TFloat, TTensor>(WeightView weights, InputView input, Product product)
        where TFloat : struct, IShortFloatWeights
        where TTensor : struct, IFloatTensorCores
    {
        ArrayView<Four> tile = SharedMemory.Allocate<Four>(MatMulKernel.Slots * SlotTwos / 2);
        ArrayView<Two> values = tile.Cast<Two>();
        int expert = Grid.IdxZ;
        int firstSlot = product.FirstSlot(expert) + (Grid.IdxY * MatMulKernel.Slots);
        int slots = product.EndSlot(expert) - firstSlot;
        if (slots <= 0)
            return;
        int g = Warp.LaneIdx / 4;
        int t = Warp.LaneIdx % 4;
        int warp = (Grid.IdxX * (Group.DimX / MatMulKernel.Lanes)) + (Group.IdxX / MatMulKernel.Lanes);
        int output = (warp * MatMulKernel.OutputsOfWarp) + g;
        int twosOfRow = product.Blocks * 16;
        long firstRow = (long)expert * product.Rows;
        long upper = ((firstRow + Math.Min(output, product.Rows - 1)) * twosOfRow) + t;
        long lower = ((firstRow + Math.Min(output + 8, product.Rows - 1)) * twosOfRow) + t;
        int read = (g * SlotTwos) + t;
        Four y0 = default, y1 = default, y2 = default, y3 = default, y4 = default, y5 = default, y6 = default, y7 = default;
        for (int first = 0; first < twosOfRow; first += Twos)
        {
            int twos = Math.Min(Twos, twosOfRow - first);
            Group.Barrier();
            for (int i = Group.IdxX; i < Math.Min(slots, MatMulKernel.Slots) * (Twos / 2); i += Group.DimX)
            {
                int slot = i / (Twos / 2);
                int four = i % (Twos / 2);
                long x = (long)product.InputRow(firstSlot + slot) * (twosOfRow / 2);
                tile[(slot * SlotTwos / 2) + four] = input.Values[x + (first / 2) + Math.Min(four, (twos / 2) - 1)];
            }

            Group.Barrier();

            // Which eight columns meet is the same for both sides, and else of no account: a lane has two that lie side by side.
            for (int two = 0; two < twos; two += 4)
            {
                Two above = default(TFloat).LoadTwo(weights, upper + first + two);
                Two below = default(TFloat).LoadTwo(weights, lower + first + two);
                int at = read + two;
                y0 = Add<TTensor>(y0, above, below, values[at]);
                if (slots > 8)
                    y1 = Add<TTensor>(y1, above, below, values[at + (8 * SlotTwos)]);

                if (slots > 16)
                {
                    y2 = Add<TTensor>(y2, above, below, values[at + (16 * SlotTwos)]);
                    y3 = Add<TTensor>(y3, above, below, values[at + (24 * SlotTwos)]);
                }

                if (slots > 32)
                {
                    y4 = Add<TTensor>(y4, above, below, values[at + (32 * SlotTwos)]);
                    y5 = Add<TTensor>(y5, above, below, values[at + (40 * SlotTwos)]);
                    y6 = Add<TTensor>(y6, above, below, values[at + (48 * SlotTwos)]);
                    y7 = Add<TTensor>(y7, above, below, values[at + (56 * SlotTwos)]);
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

    private static Four Add<TTensor>(Four y, Two above, Two below, Two x)
        where TTensor : struct, IFloatTensorCores
    {
        float x0 = Upper(x.X);
        float x1 = Upper(x.Y);
        Four most = default(TTensor).Of8(above.X, below.X, above.Y, below.Y, x0, x1);
        Four rest = default(TTensor).Of8(above.X, below.X, above.Y, below.Y, Upper(x.X - x0), Upper(x.Y - x1));
        return new(y.X + (most.X + rest.X), y.Y + (most.Y + rest.Y), y.Z + (most.Z + rest.Z), y.W + (most.W + rest.W));
    }

    /// <summary>The 19 bits that tensor cores read. An infinity or NaN stays one, and its rest is NaN: so are then both sums.</summary>
    private static float Upper(float value) => Interop.IntAsFloat(Interop.FloatAsInt(value) & 0xFFFF_E000);

    private static MethodInfo Method(Action<WeightView, InputView, Product> kernel) => kernel.Method;
}
