using Pure.Engine.Kernels;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Kernels;

/// <summary>
/// The definitions against the same mathematics in double precision. Bounds are the classical ones for sums of products,
/// |error| ≤ γ · Σ|aᵢbᵢ|, with γ counted in units u = 2^-24 from the longest chain of roundings.
/// </summary>
public sealed class KernelDefinitionTests
{
    private const double U = 1.0 / (1 << 24);
    private static readonly KernelSet Scalar = KernelSet.Select(Isa.Scalar);

    [Fact]
    public void RmsNorm_is_right()
    {
        var random = new Random(31);
        for (int n = 1; n <= 300; n += 7)
        {
            float[] x = Normal(random, n);
            float[] weight = Normal(random, n);
            var y = new float[n];
            Scalar.RmsNorm(x, weight, 1e-5f, y);
            double scale = 1 / Math.Sqrt((x.Sum(v => (double)v * v) / n) + 1e-5f);
            for (int i = 0; i < n; i++)
                AssertNear(x[i] * scale * weight[i], y[i], ((n / 16.0) + 10) * U * Math.Abs(x[i] * scale * weight[i]));
        }
    }

    [Fact]
    public void Rotation_turns_each_pair_by_its_angle()
    {
        var random = new Random(32);
        const int Pairs = 37;
        foreach (bool adjacent in (bool[])[true, false])
        {
            float[] x = Normal(random, 2 * Pairs);
            float[] y = [.. x];
            var cos = new float[Pairs];
            var sin = new float[Pairs];
            for (int i = 0; i < Pairs; i++)
                (sin[i], cos[i]) = MathF.SinCos(random.NextNormal() * 10);
            Scalar.Rotate(y, cos, sin, adjacent);
            for (int i = 0; i < Pairs; i++)
            {
                int first = adjacent ? 2 * i : i;
                int second = adjacent ? (2 * i) + 1 : i + Pairs;
                double bound = 2 * U * (Math.Abs(x[first]) + Math.Abs(x[second]));
                AssertNear(((double)x[first] * cos[i]) - ((double)x[second] * sin[i]), y[first], bound);
                AssertNear(((double)x[first] * sin[i]) + ((double)x[second] * cos[i]), y[second], bound);
            }
        }
    }

    [Fact]
    public void Float_products_of_every_type_are_right()
    {
        var random = new Random(33);
        foreach (ElementType type in KernelCases.AllTypes)
        {
            int columns = ElementFormat.Of(type).BlockSize == 1 ? 293 : 512;
            using GuardedMemory<byte> data = random.RandomWeights(type, 3, columns);
            var weights = new WeightMatrix(type, data.View, 3, columns);
            using ActivationBuffer buffer = Rows(random, 2, columns);
            Activations x = buffer.Rows(2);
            var y = new float[6];
            Scalar.MatMulFloat(weights, 0, 3, x, [], y, 3);
            var row = new float[columns];
            for (int r = 0; r < 3; r++)
            {
                Scalar.DequantizeRow(weights, r, row);
                for (int i = 0; i < 2; i++)
                {
                    (double exact, double size) = Dot(row, x.Row(i));
                    AssertNear(exact, y[(i * 3) + r], (Math.Ceiling(columns / 16.0) + 4) * U * size);
                }
            }
        }
    }

    [Fact]
    public void Products_with_8_bit_activations_are_the_products_of_what_the_8_bits_stand_for()
    {
        var random = new Random(34);
        foreach (ElementType type in KernelCases.QuantizedTypes)
        {
            const int Columns = 1024;
            using GuardedMemory<byte> data = random.RandomWeights(type, 3, Columns);
            var weights = new WeightMatrix(type, data.View, 3, Columns);
            using ActivationBuffer buffer = Rows(random, 2, Columns);
            Activations x = buffer.Rows(2);
            var y = new float[6];
            Scalar.MatMulQ8(weights, 0, 3, x, [], y, 3);
            var row = new float[Columns];
            for (int r = 0; r < 3; r++)
            {
                Scalar.DequantizeRow(weights, r, row);
                for (int i = 0; i < 2; i++)
                {
                    (double exact, double size) = Dot(row, Dequantized(x, i));

                    // One term per sub-block, two where there are minima (which cancel: their size counts apart), each of a few roundings.
                    double minima = HasMinima(type) ? 8 : 1;
                    AssertNear(exact, y[(i * 3) + r], ((Columns / 32 * 2) + 4) * U * size * minima);
                }
            }
        }
    }

    [Fact]
    public void Quantised_activations_are_within_half_a_step()
    {
        var random = new Random(35);
        using ActivationBuffer buffer = Rows(random, 1, 300); // the last block is not full
        Activations x = buffer.Rows(1);
        float[] back = Dequantized(x, 0);
        Span<float> row = x.Row(0);
        for (int i = 0; i < row.Length; i++)
        {
            float amax = 0;
            for (int j = i / 32 * 32; j < Math.Min((i / 32 * 32) + 32, row.Length); j++)
                amax = Math.Max(amax, Math.Abs(row[j]));
            AssertNear(row[i], back[i], amax / 127.0 * 0.5001);
        }
    }

    [Fact]
    public void Softmax_is_right_and_carries_its_edges()
    {
        var random = new Random(36);
        for (int n = 1; n <= 300; n += 13)
        {
            float[] scores = Normal(random, n);
            double max = scores.Max();
            double[] exact = [.. scores.Select(s => Math.Exp((float)(s - max)))]; // the difference is rounded once
            (float m, float sum) = Scalar.ExpOfScores(scores);
            Assert.Equal((float)max, m);
            for (int i = 0; i < n; i++)
                AssertNear(exact[i], scores[i], 2.2 * U * exact[i]);
            AssertNear(exact.Sum(), sum, ((n / 16.0) + 7) * U * exact.Sum());
        }

        Assert.Equal((float.NegativeInfinity, 0f), Scalar.ExpOfScores([]));
        Assert.Equal((3f, 1f), Scalar.ExpOfScores([float.NegativeInfinity, 3f]));
        (float nan, float nanSum) = Scalar.ExpOfScores([1f, float.NaN, 2f]);
        Assert.True(float.IsNaN(nan) && float.IsNaN(nanSum));
    }

    [Fact]
    public void Scores_and_weighted_sums_are_right()
    {
        var random = new Random(37);
        const int Columns = 77, Count = 9, Stride = 80;
        using GuardedMemory<byte> data = random.RandomWeights(ElementType.F16, 1, ((Count - 1) * Stride) + Columns);
        var rows = CacheRows.Apart(data.View, ElementType.F16, Stride, Columns, Count);
        float[] q = Normal(random, Columns);
        float[] weights = Normal(random, Count);
        float[] start = Normal(random, Columns);
        float[] sums = [.. start];
        var scores = new float[Count];
        Scalar.Scores(q, rows, 0.25f, scores);
        Scalar.AddWeighted(weights, rows, sums);

        var all = new float[((Count - 1) * Stride) + Columns];
        Scalar.DequantizeRow(new WeightMatrix(ElementType.F16, data.View, 1, all.Length), 0, all);
        for (int p = 0; p < Count; p++)
        {
            (double exact, double size) = Dot(all.AsSpan(p * Stride, Columns), q);
            AssertNear(exact * 0.25, scores[p], (5 + 5) * U * size * 0.25);
        }

        for (int c = 0; c < Columns; c++)
        {
            double exact = start[c];
            double size = Math.Abs(start[c]);
            for (int p = 0; p < Count; p++)
            {
                exact += (double)weights[p] * all[(p * Stride) + c];
                size += Math.Abs((double)weights[p] * all[(p * Stride) + c]);
            }

            AssertNear(exact, sums[c], Count * U * size);
        }
    }

    [Fact]
    public void Two_spans_merge_into_the_softmax_of_both()
    {
        var random = new Random(38);
        const int Columns = 24, Count = 10, Cut = 4;
        var data = new GuardedMemory<float>(Count * Columns);
        random.FillAwkward(data.Span);
        foreach (ref float value in data.Span)
            value = Math.Clamp(value, -4, 4);
        float[] scores = Normal(random, Count);
        float[] left = new float[Columns], right = new float[Columns];
        double[] exact = new double[Columns];
        double total = scores.Sum(s => Math.Exp(s));
        for (int p = 0; p < Count; p++)
        {
            for (int c = 0; c < Columns; c++)
                exact[c] += Math.Exp(scores[p]) / total * data.Span[(p * Columns) + c];
        }

        (float leftMax, float leftSum) = Scalar.ExpOfScores(scores.AsSpan(0, Cut));
        (float rightMax, float rightSum) = Scalar.ExpOfScores(scores.AsSpan(Cut));
        Scalar.AddWeighted(scores.AsSpan(0, Cut), CacheRows.Apart(data.View, ElementType.F32, Columns, Columns, Cut), left);
        Scalar.AddWeighted(
            scores.AsSpan(Cut), CacheRows.Apart(data.View.Slice(Cut * Columns * 4, (Count - Cut) * Columns * 4), ElementType.F32, Columns, Columns, Count - Cut), right);
        float max = Math.Max(leftMax, rightMax);
        float leftScale = Elementary.Exp(leftMax - max), rightScale = Elementary.Exp(rightMax - max);
        Scalar.MergeScaled(left, leftScale, right, rightScale);
        Scalar.Divide(left, (leftSum * leftScale) + (rightSum * rightScale));
        for (int c = 0; c < Columns; c++)
            AssertNear(exact[c], left[c], 40 * U * 4);
        data.Dispose();
    }

    [Fact]
    public void A_gated_unit_is_silu_of_the_gate_times_up()
    {
        var random = new Random(39);
        float[] gate = Normal(random, 200);
        float[] up = Normal(random, 200);
        var y = new float[200];
        Scalar.Gate(GateActivation.Silu, gate, up, y);
        for (int i = 0; i < y.Length; i++)
        {
            double exact = gate[i] / (1 + Math.Exp(-(double)gate[i])) * up[i];
            AssertNear(exact, y[i], 6 * U * Math.Abs(exact));
        }
    }

    [Fact]
    public void The_other_gates_follow_their_papers()
    {
        var random = new Random(40);
        float[] gate = [.. Normal(random, 200).Select(x => 6 * x)];
        float[] up = [.. Normal(random, 200).Select(x => 6 * x)];
        var y = new float[200];
        Scalar.Gate(GateActivation.Gelu, gate, up, y);
        for (int i = 0; i < y.Length; i++)
        {
            double x = gate[i];
            double exact = 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))) * up[i];
            AssertNear(exact, y[i], 1e-6 * Math.Max(Math.Abs(exact), 1e-3));
        }

        Scalar.Gate(GateActivation.ClampedSilu, gate, up, y);
        for (int i = 0; i < y.Length; i++)
        {
            double g = Math.Min(gate[i], 7.0);
            double exact = g / (1 + Math.Exp(-1.702 * g)) * (Math.Clamp(up[i], -7.0, 7.0) + 1);
            AssertNear(exact, y[i], 1e-6 * Math.Max(Math.Abs(exact), 1e-3));
        }
    }

    private static bool HasMinima(ElementType type) =>
        type is ElementType.Q4_1 or ElementType.Q5_1 or ElementType.Q2_K or ElementType.Q4_K or ElementType.Q5_K;

    private static float[] Normal(Random random, int n) => [.. Enumerable.Range(0, n).Select(_ => random.NextNormal())];

    private static ActivationBuffer Rows(Random random, int rows, int columns)
    {
        var buffer = new ActivationBuffer(rows, columns);
        for (int row = 0; row < rows; row++)
        {
            Normal(random, columns).CopyTo(buffer.Rows(rows).Row(row));
            Scalar.QuantizeRow(buffer.Rows(rows), row);
        }

        return buffer;
    }

    private static unsafe float[] Dequantized(Activations x, int row)
    {
        var back = new float[x.Columns];
        for (int i = 0; i < back.Length; i++)
            back[i] = x.Quants[(row * x.Stride) + i] * x.Scales[(row * x.Stride / 32) + (i / 32)];
        return back;
    }

    private static (double Value, double Size) Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double value = 0, size = 0;
        for (int i = 0; i < a.Length; i++)
        {
            value += (double)a[i] * b[i];
            size += Math.Abs((double)a[i] * b[i]);
        }

        return (value, size);
    }

    private static void AssertNear(double exact, float actual, double bound) =>
        Assert.True(Math.Abs(actual - exact) <= bound + 1e-40, $"{actual:R} is {Math.Abs(actual - exact):E2} from {exact:R}; the bound is {bound:E2}");
}
