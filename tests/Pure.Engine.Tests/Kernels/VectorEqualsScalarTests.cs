using Pure.Engine.Kernels;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Kernels;

/// <summary>Every cluster gives the bits of the definitions, over all lengths, alignments and awkward values, and stays in its buffers.</summary>
public sealed class VectorEqualsScalarTests
{
    private const int Longest = 300;
    private static readonly KernelSet Scalar = KernelSet.Select(Isa.Scalar);
    private static readonly ElementType[] FloatTypes = [ElementType.F32, ElementType.F16, ElementType.BF16];

    public static TheoryData<string> VectorSets => ["128-bit", "neon", "avx2", "avx-vnni", "avx512"];

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void RmsNorm_gives_the_bits_of_the_definition(string isa) => OverLengths(isa, 11, (kernels, random, x, weight, y) =>
    {
        float epsilon = random.Next(2) == 0 ? 1e-5f : 0;
        kernels.RmsNorm(x, weight, epsilon, y);
    });

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Gates_give_the_bits_of_the_definition(string isa)
    {
        OverLengths(isa, 12, (kernels, _, x, up, y) => kernels.Gate(GateActivation.Silu, x, up, y));
        OverLengths(isa, 17, (kernels, _, x, up, y) => kernels.Gate(GateActivation.Gelu, x, up, y));
        OverLengths(isa, 18, (kernels, _, x, up, y) => kernels.Gate(GateActivation.ClampedSilu, x, up, y));
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Additions_merges_and_divisions_give_the_bits_of_the_definition(string isa)
    {
        OverLengths(isa, 13, (kernels, _, x, _, y) => kernels.Add(y, x));
        OverLengths(isa, 14, (kernels, random, x, _, y) => kernels.AddScaled(y, random.NextAwkward(), x));
        OverLengths(isa, 15, (kernels, random, x, _, y) => kernels.MergeScaled(y, random.NextAwkward(), x, random.NextAwkward()));
        OverLengths(isa, 16, (kernels, random, _, _, y) => kernels.Divide(y, random.NextAwkward()));
        OverLengths(isa, 19, (kernels, random, _, _, y) => kernels.Multiply(y, random.NextAwkward()));
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Exp_gives_the_bits_of_the_definition_over_all_floats(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        var gate = new float[4096];
        var one = new float[4096];
        var expected = new float[4096];
        var actual = new float[4096];
        Array.Fill(one, 1);
        uint bits = 0;
        for (int round = 0; round < 1024; round++)
        {
            foreach (ref float value in gate.AsSpan())
                value = BitConverter.UInt32BitsToSingle(bits += 1021);
            Scalar.Gate(GateActivation.Silu, gate, one, expected);
            kernels.Gate(GateActivation.Silu, gate, one, actual);
            KernelCases.AssertSameBits(expected, actual, $"round {round}");
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Rotation_gives_the_bits_of_the_definition(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        var random = new Random(17);
        for (int pairs = 0; pairs <= 100; pairs++)
        {
            foreach (bool adjacent in (bool[])[false, true])
            {
                using var expected = new GuardedMemory<float>(2 * pairs);
                using var actual = new GuardedMemory<float>(2 * pairs);
                using var cos = new GuardedMemory<float>(pairs);
                using var sin = new GuardedMemory<float>(pairs);
                random.FillAwkward(expected.Span);
                expected.Span.CopyTo(actual.Span);
                for (int i = 0; i < pairs; i++)
                    (sin.Span[i], cos.Span[i]) = MathF.SinCos(random.NextNormal() * 100);
                Scalar.Rotate(expected.Span, cos.Span, sin.Span, adjacent);
                kernels.Rotate(actual.Span, cos.Span, sin.Span, adjacent);
                KernelCases.AssertSameBits(expected.Span, actual.Span, $"{pairs} pairs, adjacent {adjacent}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Softmax_gives_the_bits_of_the_definition(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        var random = new Random(18);
        for (int length = 0; length <= Longest; length++)
        {
            for (int kind = 0; kind < 5; kind++)
            {
                using var expected = new GuardedMemory<float>(length);
                using var actual = new GuardedMemory<float>(length);
                foreach (ref float value in expected.Span)
                    value = kind == 0 ? random.NextNormal() * 30 : random.Next(40) != 0 ? random.NextAwkward() : kind switch
                    {
                        1 => float.NegativeInfinity,
                        2 => float.PositiveInfinity,
                        3 => float.NaN,
                        _ => float.MinValue,
                    };
                expected.Span.CopyTo(actual.Span);
                (float max, float sum) = Scalar.ExpOfScores(expected.Span);
                (float vectorMax, float vectorSum) = kernels.ExpOfScores(actual.Span);
                KernelCases.AssertSameBits([max, sum], [vectorMax, vectorSum], $"{length} scores, kind {kind}: (max, sum)");
                KernelCases.AssertSameBits(expected.Span, actual.Span, $"{length} scores, kind {kind}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Scores_and_weighted_sums_over_the_cache_give_the_bits_of_the_definition(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        var random = new Random(19);
        for (int columns = 0; columns <= Longest; columns += columns < 140 ? 1 : 13)
        {
            int count = random.Next(12);
            int stride = columns + random.Next(20);
            ElementType type = random.GetItems(FloatTypes, 1)[0];
            int elements = count == 0 ? 0 : ((count - 1) * stride) + columns;
            using GuardedMemory<byte> data = random.RandomWeights(type, 1, elements);
            var rows = CacheRows.Apart(data.View, type, stride, columns, count);
            string what = $"{count} rows of {columns} {type}";

            using var q = new GuardedMemory<float>(columns);
            using var expected = new GuardedMemory<float>(count);
            using var actual = new GuardedMemory<float>(count);
            random.FillAwkward(q.Span);
            Scalar.Scores(q.Span, rows, 0.125f, expected.Span);
            kernels.Scores(q.Span, rows, 0.125f, actual.Span);
            KernelCases.AssertSameBits(expected.Span, actual.Span, what);

            using var expectedSum = new GuardedMemory<float>(columns);
            using var actualSum = new GuardedMemory<float>(columns);
            random.FillAwkward(expected.Span);
            random.FillAwkward(expectedSum.Span);
            expectedSum.Span.CopyTo(actualSum.Span);
            Scalar.AddWeighted(expected.Span, rows, expectedSum.Span);
            kernels.AddWeighted(expected.Span, rows, actualSum.Span);
            KernelCases.AssertSameBits(expectedSum.Span, actualSum.Span, what);
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Widened_cache_rows_have_the_bits_of_the_definition(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        var random = new Random(23);
        foreach (ElementType type in FloatTypes.Concat([ElementType.Q8_0, ElementType.Q4_0]))
        {
            int block = Math.Max(16, ElementFormat.Of(type).BlockSize);
            for (int blocks = 1; blocks <= 18; blocks++)
            {
                int count = random.Next(1, 12);
                int columns = blocks * block;
                int stride = columns + (random.Next(3) * block);
                using GuardedMemory<byte> data = random.RandomWeights(type, 1, ((count - 1) * stride) + columns);
                var rows = CacheRows.Apart(data.View, type, stride, columns, count);
                using var expected = new GuardedMemory<float>(count * columns);
                using var actual = new GuardedMemory<float>(count * columns);
                Scalar.Widen(rows, expected.Span);
                kernels.Widen(rows, actual.Span);
                KernelCases.AssertSameBits(expected.Span, actual.Span, $"{count} rows of {columns} {type}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Finiteness_is_seen_at_every_place(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        foreach (int length in (int[])[1, 15, 16, 17, 40])
        {
            var x = new float[length];
            Array.Fill(x, -float.MaxValue);
            Assert.True(kernels.AllFinite(x));
            for (int i = 0; i < length; i++)
            {
                foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
                {
                    x[i] = bad;
                    Assert.False(kernels.AllFinite(x));
                    Assert.False(Scalar.AllFinite(x));
                }

                x[i] = float.Epsilon;
            }
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Every_half_and_brain_float_widens_to_the_bits_of_the_definition(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        foreach (ElementType type in (ElementType[])[ElementType.F16, ElementType.BF16])
        {
            using var data = new GuardedMemory<ushort>(65_536);
            for (int i = 0; i < data.Length; i++)
                data.Span[i] = (ushort)i;
            float[] expected = AssertSameFloats(kernels, new WeightMatrix(type, data.View, 1, data.Length));
            for (int i = 0; i < data.Length; i++)
            {
                float exact = type == ElementType.F16
                    ? (float)BitConverter.UInt16BitsToHalf((ushort)i)
                    : BitConverter.Int32BitsToSingle(i << 16);
                Assert.True(expected[i].Equals(exact));
            }
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Every_8_bit_float_widens_to_the_bits_of_the_definition(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        foreach (ElementType type in (ElementType[])[ElementType.F8_E4M3, ElementType.F8_E5M2])
        {
            using var data = new GuardedMemory<byte>(256);
            for (int i = 0; i < data.Length; i++)
                data.Span[i] = (byte)i;
            AssertSameFloats(kernels, new WeightMatrix(type, data.View, 1, data.Length));
        }
    }

    /// <summary>Every element of a matrix of one row, NaN too, has the bits of the definition; returns the elements.</summary>
    private static float[] AssertSameFloats(KernelSet kernels, WeightMatrix matrix)
    {
        var expected = new float[matrix.Columns];
        var actual = new float[matrix.Columns];
        Scalar.DequantizeRow(matrix, 0, expected);
        kernels.DequantizeRow(matrix, 0, actual);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(BitConverter.SingleToInt32Bits(expected[i]), BitConverter.SingleToInt32Bits(actual[i]));
        return expected;
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Dequantising_gives_the_bits_of_the_definition(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        var random = new Random(20);
        foreach (ElementType type in KernelCases.AllTypes)
        {
            int block = ElementFormat.Of(type).BlockSize;
            foreach (int blocks in (int[])[1, 2, 3, 7, 8, 9, 16, 31, 33])
            {
                using GuardedMemory<byte> data = random.RandomWeights(type, 2, blocks * block);
                var matrix = new WeightMatrix(type, data.View, 2, blocks * block);
                using var expected = new GuardedMemory<float>(matrix.Columns);
                using var actual = new GuardedMemory<float>(matrix.Columns);
                for (int row = 0; row < 2; row++)
                {
                    Scalar.DequantizeRow(matrix, row, expected.Span);
                    kernels.DequantizeRow(matrix, row, actual.Span);
                    KernelCases.AssertSameBits(expected.Span, actual.Span, $"{type}, {blocks} blocks, row {row}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Quantising_activations_gives_the_bits_of_the_definition(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        var random = new Random(21);
        for (int columns = 1; columns <= Longest; columns++)
        {
            using var expected = new ActivationBuffer(2, columns);
            using var actual = new ActivationBuffer(2, columns);
            Span<float> x = expected.Rows(2).Row(1);
            float size = MathF.Pow(10, random.Next(-38, 38));
            foreach (ref float value in x)
                value = random.NextNormal() * size;
            if (random.Next(3) == 0)
                random.FillAwkward(x);
            if (random.Next(8) == 0)
                x[random.Next(columns)] = random.Next(2) == 0 ? float.NaN : float.NegativeInfinity;
            for (int i = 0; i < columns; i += 32) // halves: a block whose scale is exactly one
            {
                if (random.Next(4) == 0)
                {
                    for (int j = i; j < Math.Min(i + 32, columns); j++)
                        x[j] = j == i ? 127 : random.Next(-254, 254) / 2f;
                }
            }

            x.CopyTo(actual.Rows(2).Row(1));
            Scalar.QuantizeRow(expected.Rows(2), 1);
            kernels.QuantizeRow(actual.Rows(2), 1);
            AssertSameQuants(expected.Rows(2), actual.Rows(2), $"{columns} columns");
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Products_with_float_activations_give_the_bits_of_the_definition(string isa)
    {
        foreach (ElementType type in KernelCases.AllTypes)
            Products(KernelCases.Require(isa), type, q8: false);
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Products_with_8_bit_activations_give_the_bits_of_the_definition(string isa)
    {
        foreach (ElementType type in KernelCases.QuantizedTypes)
            Products(KernelCases.Require(isa), type, q8: true);
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Products_of_long_rows_give_the_bits_of_the_definition(string isa)
    {
        // Longer than the spans of columns in which float products are taken, with and without whole lanes at the end.
        KernelSet kernels = KernelCases.Require(isa);
        var random = new Random(24);
        foreach (ElementType type in KernelCases.AllTypes)
        {
            foreach (int columns in ElementFormat.Of(type).BlockSize == 1 ? (int[])[1023, 1024, 1025, 2048, 2051, 3088] : [1024, 2304])
            {
                using GuardedMemory<byte> data = random.RandomWeights(type, 6, columns);
                var weights = new WeightMatrix(type, data.View, 6, columns);
                foreach (int inputs in (int[])[1, 3, 4, 9])
                {
                    Compare(kernels, random, weights, 0, 6, inputs, [], q8: false);
                    if (weights.IsQuantized)
                        Compare(kernels, random, weights, 0, 6, inputs, [], q8: true);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(VectorSets))]
    public void Products_of_wild_bytes_give_the_bits_of_the_definition(string isa)
    {
        // Scales that are infinite, NaN, denormal; extreme codes such as -128 in every place.
        KernelSet kernels = KernelCases.Require(isa);
        var random = new Random(22);
        foreach (ElementType type in KernelCases.QuantizedTypes)
        {
            for (int round = 0; round < 50; round++)
            {
                using GuardedMemory<byte> data = random.RandomWeights(type, 9, 512);
                if (round % 2 == 0)
                    random.NextBytes(data.Span);
                else
                    data.Span.Fill((byte)(round % 4 == 1 ? 0x80 : 0xFF));
                Compare(kernels, random, new WeightMatrix(type, data.View, 9, 512), 0, 9, 3, [], q8: true);
                Compare(kernels, random, new WeightMatrix(type, data.View, 9, 512), 0, 9, 3, [], q8: false);
            }
        }
    }

    private static void Products(KernelSet kernels, ElementType type, bool q8)
    {
        var random = new Random(23);
        int block = ElementFormat.Of(type).BlockSize;
        for (int round = 0; round < 200; round++)
        {
            int columns = block == 1 ? random.Next(1, Longest) : block * random.Next(1, block == 32 ? 20 : 4);
            int rows = random.Next(1, 20);
            using GuardedMemory<byte> data = random.RandomWeights(type, rows, columns);
            var weights = new WeightMatrix(type, data.View, rows, columns);
            int begin = random.Next(rows);
            int end = random.Next(begin, rows + 1);
            int inputs = random.Next(1, 11);
            int[] list = random.Next(2) == 0 ? [] : [.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => random.Next(inputs))];
            Compare(kernels, random, weights, begin, end, inputs, list, q8);
        }
    }

    private static void Compare(
        KernelSet kernels, Random random, in WeightMatrix weights, int begin, int end, int inputs, int[] list, bool q8)
    {
        using var buffer = new ActivationBuffer(inputs, weights.Columns);
        Activations x = buffer.Rows(inputs);
        for (int row = 0; row < inputs; row++)
        {
            foreach (ref float value in x.Row(row))
                value = q8 ? random.NextNormal() : random.NextAwkward();
            Scalar.QuantizeRow(x, row);
        }

        int outputs = list.Length == 0 ? inputs : list.Length;
        int stride = weights.Rows + random.Next(5);
        using var expected = new GuardedMemory<float>(((outputs - 1) * stride) + end);
        using var actual = new GuardedMemory<float>(expected.Length);
        expected.Span.Fill(float.MaxValue);
        actual.Span.Fill(float.MaxValue);
        if (q8)
        {
            Scalar.MatMulQ8(weights, begin, end, x, list, expected.Span, stride);
            kernels.MatMulQ8(weights, begin, end, x, list, actual.Span, stride);
        }
        else
        {
            Scalar.MatMulFloat(weights, begin, end, x, list, expected.Span, stride);
            kernels.MatMulFloat(weights, begin, end, x, list, actual.Span, stride);
        }

        KernelCases.AssertSameBits(
            expected.Span,
            actual.Span,
            $"{weights.Type} [{weights.Rows}, {weights.Columns}], rows {begin} to {end}, {inputs} inputs, list [{string.Join(',', list)}]");
    }

    private delegate void Operation(KernelSet kernels, Random random, Span<float> x, Span<float> other, Span<float> y);

    private static void OverLengths(string isa, int seed, Operation operation)
    {
        KernelSet kernels = KernelCases.Require(isa);
        for (int length = 0; length <= Longest; length++)
        {
            using var x = new GuardedMemory<float>(length);
            using var other = new GuardedMemory<float>(length);
            using var expected = new GuardedMemory<float>(length);
            using var actual = new GuardedMemory<float>(length);
            var random = new Random(seed + length);
            random.FillAwkward(x.Span);
            random.FillAwkward(other.Span);
            random.FillAwkward(expected.Span);
            expected.Span.CopyTo(actual.Span);
            operation(Scalar, new Random(length), x.Span, other.Span, expected.Span);
            operation(kernels, new Random(length), x.Span, other.Span, actual.Span);
            KernelCases.AssertSameBits(expected.Span, actual.Span, $"length {length}");
        }
    }

    private static unsafe void AssertSameQuants(Activations expected, Activations actual, string what)
    {
        int elements = expected.Rows * expected.Stride;
        int blocks = elements / Activations.BlockSize;
        Assert.True(new Span<sbyte>(expected.Quants, elements).SequenceEqual(new Span<sbyte>(actual.Quants, elements)), what);
        Assert.True(new Span<int>(expected.Sums, blocks).SequenceEqual(new Span<int>(actual.Sums, blocks)), what);
        KernelCases.AssertSameBits(new Span<float>(expected.Scales, blocks), new Span<float>(actual.Scales, blocks), what);
    }
}
