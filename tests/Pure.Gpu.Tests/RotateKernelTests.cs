using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

public sealed class RotateKernelTests(GpuFixture gpu) : IClassFixture<GpuFixture>
{
    // Two rounded products of sizes up to 1 and their rounded sum, after a norm that is right to a few units in the last place.
    private const double Tolerance = 1e-6;

    private static readonly (int Text, int Position)[] Rows = [(0, 2), (1, 0), (0, 3)];

    public static TheoryData<string> Accelerators => GpuFixture.Names;

    [Theory, MemberData(nameof(Accelerators))]
    public void Heads_are_rotated_in_place_and_other_columns_kept(string name)
    {
        foreach (bool adjacent in new[] { false, true })
        {
            // Two heads of 8 from column 4 of 24 on, of which 6 columns turn.
            using var rope = new RotaryEmbedding(new RotaryScaling.None(), 100, 3, adjacent, 3);
            RotateShape shape = RotateShape.Of(24, 4, 2, 8, rope);
            float[] x = Values(3 * 24);
            double[] expected = [.. x.Select(value => (double)value)];
            for (int row = 0; row < 3; row++)
            {
                for (int head = 0; head < 2; head++)
                    Turn(expected, (row * 24) + 4 + (head * 8), Rows[row].Position, rope);
            }

            Check(expected, Run(name, rope, shape, x, [], x.Length, inPlace: true));
        }
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void A_norm_runs_over_a_head_or_over_all(string name)
    {
        foreach (int normSize in new[] { 8, 16 })
        {
            using var rope = new RotaryEmbedding(new RotaryScaling.None(), 100, 4, false, 3);
            RotateShape shape = RotateShape.Of(16, 0, 2, 8, rope, normSize, 1e-5f);
            float[] x = Values(3 * 16);
            float[] gain = Values(normSize);
            double[] expected = [.. x.Select(value => (double)value)];
            for (int start = 0; start < expected.Length; start += normSize)
                Normalise(expected, start, gain);
            for (int head = 0; head < 6; head++)
                Turn(expected, head * 8, Rows[head / 2].Position, rope);

            Check(expected, Run(name, rope, shape, x, gain, x.Length, inPlace: true));
        }
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void Latents_are_normalised_and_their_keys_rotated(string name)
    {
        using var rope = new RotaryEmbedding(new RotaryScaling.None(), 100, 4, true, 3);
        RotateShape shape = RotateShape.OfLatents(new LatentShape(2, 16, 8, 8, 8), rope, 1e-5f);
        float[] x = Values(3 * 24);
        float[] gain = Values(16);
        double[] expected = [.. x.Select(value => (double)value)];
        for (int row = 0; row < 3; row++)
        {
            Normalise(expected, row * 24, gain);
            Turn(expected, (row * 24) + 16, Rows[row].Position, rope);
        }

        Check(expected, Run(name, rope, shape, x, gain, x.Length, inPlace: true));
    }

    [Theory, MemberData(nameof(Accelerators))]
    public void Latent_queries_turn_on_their_way(string name)
    {
        using var rope = new RotaryEmbedding(new RotaryScaling.None(), 100, 4, true, 3);
        var latent = new LatentShape(2, 16, 8, 8, 8);
        float[] x = Values(3 * 2 * latent.QuerySize);
        double[] expected = new double[3 * 2 * latent.CacheColumns];
        for (int head = 0; head < 6; head++)
        {
            for (int column = 0; column < 8; column++)
                expected[(head * 24) + 16 + column] = x[(head * 16) + 8 + column];
            Turn(expected, (head * 24) + 16, Rows[head / 2].Position, rope);
        }

        Check(expected, Run(name, rope, RotateShape.OfLatentQueries(latent, rope), x, [], expected.Length, inPlace: false));
    }

    private float[] Run(string name, RotaryEmbedding rope, RotateShape shape, float[] x, float[] gain, int targets, bool inPlace)
    {
        using var texts = new CachedTexts(gpu.Open(name), 8, CacheType.F16, 4, 1);
        using var ops = new AttentionOps(texts.Queue, CacheType.F16, texts.Blocks, []);
        using DeviceRows rows = texts.Rows(ops, [rope], Rows);
        using MemoryBuffer1D<float, Stride1D.Dense> source = texts.Queue.Accelerator.Allocate1D(x);
        using MemoryBuffer1D<float, Stride1D.Dense> weight = texts.Queue.Accelerator.Allocate1D(gain.Length > 0 ? gain : [0f]);
        using MemoryBuffer1D<float, Stride1D.Dense> target = texts.Queue.Accelerator.Allocate1D(new float[targets]);
        ArrayView<float> written = inPlace ? source.View : target.View;
        ops.Rotate(rows, shape, rope, gain.Length > 0 ? weight.View : ArrayView<float>.Empty, source.View, written);
        float[] y = new float[targets];
        texts.Queue.ReadBack(written, y);
        return y;
    }

    private static void Turn(double[] x, int start, int position, RotaryEmbedding rope)
    {
        int pairs = rope.Dimensions / 2;
        for (int pair = 0; pair < pairs; pair++)
        {
            int first = start + (rope.PairsAdjacent ? 2 * pair : pair);
            int second = first + (rope.PairsAdjacent ? 1 : pairs);
            double angle = position * Math.Pow(rope.Theta, -(double)pair / pairs);
            (x[first], x[second]) =
                ((x[first] * Math.Cos(angle)) - (x[second] * Math.Sin(angle)), (x[first] * Math.Sin(angle)) + (x[second] * Math.Cos(angle)));
        }
    }

    private static void Normalise(double[] x, int start, float[] gain)
    {
        double square = x.Skip(start).Take(gain.Length).Sum(value => value * value) / gain.Length;
        for (int column = 0; column < gain.Length; column++)
            x[start + column] *= gain[column] / Math.Sqrt(square + 1e-5);
    }

    private static void Check(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], Tolerance);
    }

    private static float[] Values(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
