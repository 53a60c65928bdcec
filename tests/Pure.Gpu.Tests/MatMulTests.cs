using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using Pure.Engine.Quantization;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

/// <summary>
/// Products on the device against the engine's meaning of the weights and of 8-bit activations, added up in double precision.
/// </summary>
public sealed class MatMulTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    /// <summary>
    /// Both sides read the same codes and scales, so that only the order and rounding of sums of floats differ: at most some tens of additions
    /// of a lane and its warp, half a unit in the last place (2^-24) of the sum of magnitudes each.
    /// </summary>
    private const double ShareOfMagnitudes = 64 * 5.97e-8;

    /// <summary>Of activations that meet 16-bit floats in tiles, tensor cores read the upper 11 bits and the next 11: 2^-21 of each is lost.</summary>
    private const double ShareOfTile = ShareOfMagnitudes + 4.8e-7;

    /// <summary>The same, in the mean: rounding errors of either sign.</summary>
    private const double MeanSquare = 1e-12;

    public static TheoryData<string, ElementType> Types
    {
        get
        {
            TheoryData<string, ElementType> data = [];
            foreach (string name in GpuFixture.Names.Select(row => row.Data))
            {
                foreach (ElementFormat format in ElementFormat.All.Where(format => DeviceMatrix.Has(format.Type, 256)))
                    data.Add(name, format.Type);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Rows_meet_every_row_of_weights(string name, ElementType type)
    {
        Accelerator accelerator = gpu.Open(name);
        using var queue = new GpuQueue(accelerator);
        var matMul = new MatMul(queue);
        int least = Math.Max(32, ElementFormat.Of(type).BlockSize);
        foreach ((int outputs, int columns, int rows, bool hasBias) in new[] { (1, least, 1, false), (7, least * 2, 3, true), (5, 512, 2, false), (3, 256 * 5, 9, true) })
        {
            using var weights = new TestWeights(type, outputs, columns, outputs);
            using DeviceMatrix matrix = DeviceMatrix.Upload(queue, weights.Matrix);
            using var input = new DeviceInput(queue, rows + 1, columns);
            float[] x = Floats(rows * columns, columns);
            float[] bias = hasBias ? Floats(outputs, 5) : [];
            int stride = outputs + 3;
            using MemoryBuffer1D<float, Stride1D.Dense> y = queue.Allocate<float>(rows * stride);
            using MemoryBuffer1D<float, Stride1D.Dense> offsets = queue.Allocate<float>(outputs);
            y.View.AsContiguous().MemSetToZero(queue.Stream);
            queue.Upload<float>(bias, offsets.View);
            queue.Upload<float>(x, input.Values);
            matMul.Quantize(input, rows);
            matMul.Run(matrix, input, rows, y.View, stride, hasBias ? offsets.View : default(ArrayView<float>));

            float[] actual = Read(queue, y);
            float[] meant = Meant(type, x, columns);
            for (int row = 0; row < rows; row++)
            {
                AssertClose(weights.Values, 0, outputs, meant, row, columns, bias, actual.AsSpan(row * stride, outputs));
                Assert.Equal([0, 0, 0], actual[((row * stride) + outputs)..((row + 1) * stride)]);
            }

            matMul.Run(matrix, input, rows, y.View, stride, hasBias ? offsets.View : default(ArrayView<float>));
            Assert.Equal(actual, Read(queue, y));
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Slots_meet_the_rows_of_their_experts(string name, ElementType type)
    {
        const int Experts = 3, Outputs = 6;
        Accelerator accelerator = gpu.Open(name);
        using var queue = new GpuQueue(accelerator);
        var matMul = new MatMul(queue);
        int columns = Math.Max(64, ElementFormat.Of(type).BlockSize);
        int[] expertOfSlot = [2, 0, 2, 1, 2];
        int[] rowOfSlot = [0, 1, 1, 0, 0];
        TestWeights[] weights = [.. Enumerable.Range(0, Experts).Select(expert => new TestWeights(type, Outputs, columns, expert))];
        using DeviceMatrix matrix = DeviceMatrix.Upload(queue, [.. weights.Select(expert => expert.Matrix)]);
        using var input = new DeviceInput(queue, expertOfSlot.Length, columns);
        float[] x = Floats(expertOfSlot.Length * columns, 3);
        float[] bias = Floats(Experts * Outputs, 4);
        using MemoryBuffer1D<float, Stride1D.Dense> y = queue.Allocate<float>(expertOfSlot.Length * Outputs);
        using MemoryBuffer1D<float, Stride1D.Dense> offsets = queue.Allocate<float>(bias.Length);
        using MemoryBuffer1D<int, Stride1D.Dense> experts = queue.Allocate<int>(expertOfSlot.Length);
        using MemoryBuffer1D<int, Stride1D.Dense> inputs = queue.Allocate<int>(expertOfSlot.Length);
        queue.Upload<float>(bias, offsets.View);
        queue.Upload<int>(expertOfSlot, experts.View);
        queue.Upload<int>(rowOfSlot, inputs.View);
        queue.Upload<float>(x, input.Values);
        matMul.Quantize(input, expertOfSlot.Length);
        float[] meant = Meant(type, x, columns);

        long launches = queue.Launches;
        matMul.RunGrouped(matrix, Outputs, input, inputs.View, experts.View, expertOfSlot.Length, y.View, Outputs, offsets.View);
        Assert.Equal(1, queue.Launches - launches);
        Check(slot => rowOfSlot[slot]);
        matMul.RunGrouped(matrix, Outputs, input, default, experts.View, expertOfSlot.Length, y.View, Outputs, offsets.View);
        Check(slot => slot);
        foreach (TestWeights expert in weights)
            expert.Dispose();

        void Check(Func<int, int> row)
        {
            float[] actual = Read(queue, y);
            for (int slot = 0; slot < expertOfSlot.Length; slot++)
            {
                AssertClose(
                    weights[expertOfSlot[slot]].Values,
                    expertOfSlot[slot] * Outputs,
                    Outputs,
                    meant,
                    row(slot),
                    columns,
                    bias,
                    actual.AsSpan(slot * Outputs, Outputs));
            }
        }
    }

    public static TheoryData<string, ElementType> TileTypes =>
        [.. Types.Where(row => row.Data.Item2 != ElementType.F32)];

    /// <summary>On the processor by warps of 32 lanes, which stand for the tensor cores' own.</summary>
    [Theory, MemberData(nameof(TileTypes))]
    public void Many_rows_meet_weights_in_tiles(string name, ElementType type)
    {
        using Accelerator? lanes = name == "cpu" ? OpenLanes() : null;
        using var queue = new GpuQueue(lanes ?? gpu.Open(name));
        var matMul = new MatMul(queue);
        foreach ((int outputs, int columns, int rows) in TileShapes(type))
        {
            using var weights = new TestWeights(type, outputs, columns, outputs);
            using DeviceMatrix matrix = DeviceMatrix.Upload(queue, weights.Matrix);
            using var input = new DeviceInput(queue, rows, columns);
            float[] x = Floats(rows * columns, columns);
            float[] bias = Floats(outputs, 5);
            int stride = outputs + 1;
            using MemoryBuffer1D<float, Stride1D.Dense> y = queue.Allocate<float>(rows * stride);
            using MemoryBuffer1D<float, Stride1D.Dense> offsets = queue.Allocate<float>(outputs);
            y.View.AsContiguous().MemSetToZero(queue.Stream);
            queue.Upload<float>(bias, offsets.View);
            queue.Upload<float>(x, input.Values);
            matMul.Quantize(input, rows);
            matMul.Run(matrix, input, rows, y.View, stride, offsets.View);

            float[] actual = Read(queue, y);
            float[] meant = Meant(type, x, columns);
            for (int row = 0; row < rows; row++)
            {
                AssertClose(weights.Values, 0, outputs, meant, row, columns, bias, actual.AsSpan(row * stride, outputs), ShareOfTile);
                Assert.Equal(0, actual[(row * stride) + outputs]);
            }
        }
    }

    public static TheoryData<string, ElementType> TwoTileTypes =>
        [.. Types.Where(row => row.Data.Item2 is ElementType.Q4_0 or ElementType.Q6_K)];

    [Theory, MemberData(nameof(TwoTileTypes))]
    public void Many_slots_meet_the_rows_of_their_experts_in_tiles(string name, ElementType type)
    {
        const int Experts = 3, Outputs = 7, Rows = 4;
        using Accelerator? lanes = name == "cpu" ? OpenLanes() : null;
        using var queue = new GpuQueue(lanes ?? gpu.Open(name));
        var matMul = new MatMul(queue);
        int columns = Math.Max(32, ElementFormat.Of(type).BlockSize);
        int[] firstSlot = [0, 5, 5, 14];
        int[] expertOfSlot = [.. Enumerable.Repeat(0, 5), .. Enumerable.Repeat(2, 9)];
        int[] rowOfSlot = [.. Enumerable.Range(0, expertOfSlot.Length).Select(slot => slot * 3 % Rows)];
        TestWeights[] weights = [.. Enumerable.Range(0, Experts).Select(expert => new TestWeights(type, Outputs, columns, expert))];
        using DeviceMatrix matrix = DeviceMatrix.Upload(queue, [.. weights.Select(expert => expert.Matrix)]);
        using var input = new DeviceInput(queue, Rows, columns);
        float[] x = Floats(Rows * columns, 3);
        float[] bias = Floats(Experts * Outputs, 4);
        using MemoryBuffer1D<float, Stride1D.Dense> y = queue.Allocate<float>(expertOfSlot.Length * Outputs);
        using MemoryBuffer1D<float, Stride1D.Dense> offsets = queue.Allocate<float>(bias.Length);
        using MemoryBuffer1D<int, Stride1D.Dense> experts = queue.Allocate<int>(expertOfSlot.Length);
        using MemoryBuffer1D<int, Stride1D.Dense> inputs = queue.Allocate<int>(expertOfSlot.Length);
        using MemoryBuffer1D<int, Stride1D.Dense> firsts = queue.Allocate<int>(firstSlot.Length);
        queue.Upload<float>(bias, offsets.View);
        queue.Upload<int>(expertOfSlot, experts.View);
        queue.Upload<int>(rowOfSlot, inputs.View);
        queue.Upload<int>(firstSlot, firsts.View);
        queue.Upload<float>(x, input.Values);
        matMul.Quantize(input, Rows);
        matMul.RunGrouped(matrix, Outputs, input, inputs.View, experts.View, expertOfSlot.Length, y.View, Outputs, offsets.View, firsts.View);

        float[] meant = Meant(type, x, columns);
        float[] actual = Read(queue, y);
        for (int slot = 0; slot < expertOfSlot.Length; slot++)
        {
            int expert = expertOfSlot[slot];
            AssertClose(
                weights[expert].Values, expert * Outputs, Outputs, meant, rowOfSlot[slot], columns, bias, actual.AsSpan(slot * Outputs, Outputs));
        }

        foreach (TestWeights expert in weights)
            expert.Dispose();
    }

    [Theory, MemberData(nameof(Types))]
    public void Weights_take_as_many_bytes_as_was_said(string name, ElementType type)
    {
        Accelerator accelerator = gpu.Open(name);
        using var queue = new GpuQueue(accelerator);
        using var weights = new TestWeights(type, 3, 512, 1);
        using DeviceMatrix matrix = DeviceMatrix.Upload(queue, weights.Matrix, weights.Matrix);

        Assert.Equal(matrix.LengthInBytes, DeviceMatrix.Bytes(type, 6, 512));
    }

    [Fact]
    public void Experts_of_two_shapes_are_refused()
    {
        using var queue = new GpuQueue(gpu.Open("cpu"));
        using var one = new TestWeights(ElementType.Q8_0, 2, 64, 1);
        using var other = new TestWeights(ElementType.Q8_0, 2, 32, 1);

        Assert.Throws<ArgumentException>(() => DeviceMatrix.Upload(queue, one.Matrix, other.Matrix));
    }

    /// <summary>What the product reads of the activations: their 8-bit form where the weights are quantised.</summary>
    private static float[] Meant(ElementType type, float[] x, int columns)
    {
        if (!ElementFormat.Of(type).IsQuantized)
            return x;
        (sbyte[] codes, float[] scales, _) = QuantizeTests.Expected(x, columns);
        return [.. x.Select((_, i) => codes[i] * scales[i / 32])];
    }

    private static void AssertClose(
        float[] weights, int firstBias, int outputs, float[] x, int row, int columns, float[] bias, ReadOnlySpan<float> actual, double share = ShareOfMagnitudes)
    {
        double error = 0, square = 0;
        for (int output = 0; output < outputs; output++)
        {
            double expected = bias.Length > 0 ? bias[firstBias + output] : 0;
            double magnitude = Math.Abs(expected);
            for (int column = 0; column < columns; column++)
            {
                double product = (double)weights[(output * columns) + column] * x[(row * columns) + column];
                expected += product;
                magnitude += Math.Abs(product);
            }

            Assert.Equal(expected, actual[output], magnitude * share);
            error += Math.Pow(actual[output] - expected, 2);
            square += magnitude * magnitude;
        }

        Assert.True(error <= square * MeanSquare, $"mean square error {error / square}");
    }

    /// <summary>Outputs, columns and rows: a part of a tile, and once more than a tile; columns of more than one piece of shared memory.</summary>
    private static (int Outputs, int Columns, int Rows)[] TileShapes(ElementType type) => type switch
    {
        ElementType.Q4_0 => [(13, 32, 9), (18, 160, 66)],
        _ when ElementFormat.Of(type).BlockSize > 32 => [(13, ElementFormat.Of(type).BlockSize, 9)],
        _ => [(13, 96, 9)],
    };

    private static Accelerator OpenLanes()
    {
        Context context = Context.Create(builder => Accelerators.Configure(builder).CPU(new CPUDevice(MatMulKernel.Lanes, 1, 1)));
        Accelerator accelerator = context.GetCPUDevice(0).CreateAccelerator(context);
        accelerator.Disposed += (_, _) => context.Dispose();
        return accelerator;
    }

    private static float[] Floats(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    private static float[] Read(GpuQueue queue, MemoryBuffer1D<float, Stride1D.Dense> buffer)
    {
        float[] values = new float[buffer.Length];
        queue.ReadBack<float>(buffer.View, values);
        return values;
    }
}
