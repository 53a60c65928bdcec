using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;

namespace Pure.Gpu.Kernels;

/// <summary>
/// Products of each head's matrix with the head's columns of some rows: what latent attention does before and after it meets the latents
/// (DeepSeek-V2, arXiv:2405.04434, section 2.1.3, where W_UK and W_UV are absorbed).
/// </summary>
internal static class HeadMatVecKernel
{
    /// <summary>Outputs that a group computes.</summary>
    internal const int TileOutputs = 16;

    /// <summary>Most rows that meet a weight once.</summary>
    internal const int MaxRows = 8;

    /// <summary>Most inputs: DeepSeek's latent.</summary>
    internal const int MaxInputs = 512;

    // As attention's queries: eight columns of all rows, and a gap that spreads lanes over the banks of shared memory.
    private const int ChunkColumns = 8;
    private const int ChunkGap = 4;

    internal static IEnumerable<MethodInfo> EntryPoints =>
        [Of(Run<JointSums1>), Of(Run<JointSums2>), Of(Run<JointSums4>), Of(Run<JointSums8>)];

    /// <summary>A group for each (tile of outputs, head, some rows).</summary>
    /// <param name="matrices"><c>[heads, Outputs, Inputs]</c>.</param>
    /// <param name="x">Rows of heads.</param>
    /// <param name="y">Rows of heads.</param>
    /// <param name="shape">What lies where.</param>
    internal static void Run<TSums>(ArrayView<uint> matrices, ArrayView<float> x, ArrayView<float> y, HeadMatVecShape shape)
        where TSums : struct, IJointSums<TSums>
    {
        ArrayView<float> input = SharedMemory.Allocate<Four>(MaxInputs / ChunkColumns * ((ChunkColumns * MaxRows) + ChunkGap) / Four.Count).Cast<float>();
        ArrayView<float> output = SharedMemory.Allocate<float>(TileOutputs * MaxRows);

        int rows = default(TSums).Count;
        int firstRow = Grid.IdxZ * rows;
        int used = XMath.Min(rows, shape.Rows - firstRow);
        for (int item = Group.IdxX; item < rows * shape.Inputs; item += Group.DimX)
        {
            int row = item / shape.Inputs;
            int column = item - (row * shape.Inputs);
            long from = ((long)(firstRow + row) * shape.XStride) + (Grid.IdxY * shape.XHead) + column;
            input[(column * rows) + (column / ChunkColumns * ChunkGap) + row] = row < used ? x[from] : 0;
        }

        Group.Barrier();
        int lanes = shape.DotLanes;
        int lane = Group.IdxX % lanes;
        int together = Group.DimX / lanes;
        int firstOutput = Grid.IdxX * TileOutputs;
        for (int first = 0; first < TileOutputs; first += together)
        {
            // Every lane takes part in the shuffles: those without an output repeat the last one.
            int tileRow = first + (Group.IdxX / lanes);
            long matrixRow = ((long)Grid.IdxY * shape.Outputs) + XMath.Min(firstOutput + tileRow, shape.Outputs - 1);
            long weights = default(StoredF16).Words(matrixRow * shape.Inputs);
            TSums sums = default;
            for (int chunk = lane; chunk < shape.Inputs / ChunkColumns; chunk += lanes)
            {
                Float8 w = default(StoredF16).Load8(matrices, weights + default(StoredF16).Words(chunk * ChunkColumns));
                sums = JointDot.Add(sums, w, input, chunk * ((ChunkColumns * rows) + ChunkGap));
            }

            sums = default(TSums).OverLanes(sums, lanes);
            if (lane == 0 && tileRow < TileOutputs)
                default(TSums).Write(sums, output, tileRow * rows, 1);
        }

        Group.Barrier();
        int outputs = XMath.Min(TileOutputs, shape.Outputs - firstOutput);
        for (int item = Group.IdxX; item < outputs * used; item += Group.DimX)
        {
            int row = item / outputs;
            int tileRow = item - (row * outputs);
            y[((long)(firstRow + row) * shape.YStride) + (Grid.IdxY * shape.YHead) + firstOutput + tileRow] = output[(tileRow * rows) + row];
        }
    }

    private static MethodInfo Of(Action<ArrayView<uint>, ArrayView<float>, ArrayView<float>, HeadMatVecShape> kernel) => kernel.Method;
}
