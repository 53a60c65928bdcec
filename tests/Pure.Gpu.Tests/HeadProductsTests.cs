using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Engine.Quantization;
using Pure.Engine.Threading;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

public sealed class HeadProductsTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    // Sums of up to 150 products, rounded to a few 1e-7; 3e-6 squared.
    private const double Tolerance = 1e-11;

    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Each_head_is_multiplied_by_its_own_matrix(string name)
    {
        using var queue = new GpuQueue(gpu.Open(name));
        var products = new HeadProducts(queue);
        using var weights = new HeadWeights(queue, heads: 2, outputs: 19, inputs: 24);
        foreach (int rows in new[] { 1, 2, 3, 9 })
        {
            // Heads of 30 columns, of which 24 are read from the third on, and of 20, of which 19 are written.
            float[] x = Values(rows * 60);
            using MemoryBuffer1D<float, Stride1D.Dense> input = queue.Accelerator.Allocate1D(x);
            using MemoryBuffer1D<float, Stride1D.Dense> output = queue.Accelerator.Allocate1D(new float[rows * 40]);
            products.Run(weights.OnDevice, input.View.SubView(2, (rows * 60) - 2), 60, 30, output.View, 40, 20, rows);
            float[] y = new float[rows * 40];
            queue.ReadBack(output.View, y);

            double[] expected = new double[rows * 40];
            for (int item = 0; item < rows * 2; item++)
                weights.Multiply(item % 2, x.AsSpan((item * 30) + 2, 24)).CopyTo(expected, item * 20);
            Assert.InRange(DoubleAttention.Nmse(expected, y), 0, Tolerance);
            Assert.All(Enumerable.Range(0, rows * 2), item => Assert.Equal(0, y[(item * 20) + 19]));
        }
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void Absorbed_attention_is_that_of_expanded_heads(string name)
    {
        var shape = new LatentShape(2, 16, 8, 8, 24);
        AttentionShape attention = AttentionShape.Of(shape, 0.25);
        (int Text, int Position)[] rows = [(0, 149), (1, 40), (0, 70)];
        using var texts = new CachedTexts(gpu.Open(name), shape.CacheColumns, CacheType.F16, 150, 70);
        using var rope = new RotaryEmbedding(new RotaryScaling.None(), 100, 4, true, 3);
        using var keyUp = new HeadWeights(texts.Queue, shape.Heads, shape.LatentSize, shape.NopeSize);
        using var valueUp = new HeadWeights(texts.Queue, shape.Heads, shape.ValueSize, shape.LatentSize);
        using var ops = new AttentionOps(texts.Queue, CacheType.F16, texts.Blocks, [attention]);
        using DeviceRows places = texts.Rows(ops, [rope], rows);
        var products = new HeadProducts(texts.Queue);
        float[] q = Values(3 * shape.Heads * shape.QuerySize);

        using MemoryBuffer1D<float, Stride1D.Dense> queries = texts.Queue.Accelerator.Allocate1D(q);
        using MemoryBuffer1D<float, Stride1D.Dense> absorbed = texts.Queue.Allocate<float>(3 * shape.Heads * shape.CacheColumns);
        using MemoryBuffer1D<float, Stride1D.Dense> mixed = texts.Queue.Allocate<float>(3 * shape.Heads * shape.LatentSize);
        using MemoryBuffer1D<float, Stride1D.Dense> values = texts.Queue.Allocate<float>(3 * shape.Heads * shape.ValueSize);
        ops.Rotate(places, RotateShape.OfLatentQueries(shape, rope), rope, ArrayView<float>.Empty, queries.View, absorbed.View);
        products.Run(
            keyUp.OnDevice, queries.View, shape.Heads * shape.QuerySize, shape.QuerySize, absorbed.View, shape.Heads * shape.CacheColumns, shape.CacheColumns, 3);
        ops.Attend(places, attention, absorbed.View, texts.Cache.Layer(0), ArrayView<float>.Empty, mixed.View);
        products.Run(
            valueUp.OnDevice, mixed.View, shape.Heads * shape.LatentSize, shape.LatentSize, values.View, shape.Heads * shape.ValueSize, shape.ValueSize, 3);
        float[] y = new float[values.Length];
        texts.Queue.ReadBack(values.View, y);

        double[] expected = new double[y.Length];
        for (int row = 0; row < 3; row++)
        {
            for (int head = 0; head < shape.Heads; head++)
            {
                int item = (row * shape.Heads) + head;
                Expanded(texts, rows[row], rope, keyUp, valueUp, head, q.AsSpan(item * shape.QuerySize, shape.QuerySize))
                    .CopyTo(expected, item * shape.ValueSize);
            }
        }

        Assert.InRange(DoubleAttention.Nmse(expected, y), 0, Tolerance);
    }

    /// <summary>One head's keys W_UK·latent and values W_UV·latent, written out; scale 0.25.</summary>
    private static double[] Expanded(
        CachedTexts texts, (int Text, int Position) row, RotaryEmbedding rope, HeadWeights keyUp, HeadWeights valueUp, int head, ReadOnlySpan<float> query)
    {
        double[] turned = new double[8];
        for (int pair = 0; pair < 4; pair++)
        {
            (double sin, double cos) = Math.SinCos(row.Position * Math.Pow(rope.Theta, -pair / 4.0));
            (float first, float second) = (query[8 + (2 * pair)], query[9 + (2 * pair)]);
            (turned[2 * pair], turned[(2 * pair) + 1]) = ((first * cos) - (second * sin), (first * sin) + (second * cos));
        }

        double[] weights = new double[row.Position + 1];
        for (int position = 0; position <= row.Position; position++)
        {
            float[] cached = texts.Row(row.Text, position);
            double score = 0;
            for (int column = 0; column < 8; column++)
            {
                double key = 0;
                for (int latent = 0; latent < 16; latent++)
                    key += keyUp[head, latent, column] * cached[latent];
                score += (query[column] * key) + (turned[column] * cached[16 + column]);
            }

            weights[position] = Math.Exp(score * 0.25);
        }

        double[] mixed = new double[24];
        for (int position = 0; position <= row.Position; position++)
        {
            double[] value = valueUp.Multiply(head, texts.Row(row.Text, position).AsSpan(0, 16));
            for (int column = 0; column < 24; column++)
                mixed[column] += weights[position] / weights.Sum() * value[column];
        }

        return mixed;
    }

    private static float[] Values(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    /// <summary>Heads' matrices, on the device and as it rounds them.</summary>
    private sealed class HeadWeights : IDisposable
    {
        private readonly WorkerPool _pool = new(1);
        private readonly Cpu _cpu;
        private readonly TestWeights[] _stored;

        internal HeadWeights(GpuQueue queue, int heads, int outputs, int inputs)
        {
            _cpu = new Cpu(KernelSet.Select(), _pool, ActivationType.F32, repacks: false);
            _stored = [.. Enumerable.Range(0, heads).Select(head => new TestWeights(ElementType.F32, outputs, inputs, (heads * inputs) + head))];
            OnDevice = new HeadMatrices(queue, [.. _stored.Select(stored => new Linear(_cpu, stored.Matrix))]);
        }

        internal HeadMatrices OnDevice { get; }

        internal double this[int head, int output, int input] => (double)(System.Half)_stored[head].Values[(output * OnDevice.Inputs) + input];

        internal double[] Multiply(int head, ReadOnlySpan<float> x)
        {
            double[] y = new double[OnDevice.Outputs];
            for (int output = 0; output < y.Length; output++)
            {
                for (int input = 0; input < x.Length; input++)
                    y[output] += this[head, output, input] * x[input];
            }

            return y;
        }

        public void Dispose()
        {
            OnDevice.Dispose();
            foreach (TestWeights stored in _stored)
                stored.Dispose();
            _cpu.Dispose();
            _pool.Dispose();
        }
    }
}
