using Pure.Engine.Kernels;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Kernels;

/// <summary>A quantised matrix, transposed, holds the floats of its definition and gives their products' bits on every path.</summary>
public sealed unsafe class TransposedMatrixTests
{
    private const int Latent = 512;
    private const int Nope = 48;

    public static TheoryData<string> AllSets => ["scalar", "128-bit", "neon", "avx2", "avx-vnni", "avx512"];

    [Theory]
    [MemberData(nameof(AllSets))]
    public void Products_with_the_transpose_have_the_bits_of_products_with_its_floats(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        var random = new Random(40);
        foreach (ElementType type in (ElementType[])
            [ElementType.Q4_0, ElementType.Q5_0, ElementType.Q8_0, ElementType.Q4_K, ElementType.Q5_K, ElementType.Q6_K])
        {
            using GuardedMemory<byte> data = random.RandomWeights(type, Nope, Latent);
            var stored = new WeightMatrix(type, data.View, Nope, Latent);
            using var room = new GuardedMemory<byte>((int)TransposedMatrix.Bytes(stored));
            TransposedMatrix transposed = Assert.IsType<TransposedMatrix>(TransposedMatrix.TryMake(stored, room.View));
            using AlignedBuffer<float> floats = Transpose(stored);
            var expectedMatrix = new WeightMatrix(ElementType.F32, floats.View, Latent, Nope);
            foreach (int inputs in (int[])[1, 2, 3, 4, 7])
            {
                using var buffer = new ActivationBuffer(inputs, Nope);
                Activations x = buffer.Rows(inputs);
                for (int row = 0; row < inputs; row++)
                {
                    foreach (ref float value in x.Row(row))
                        value = random.NextAwkward();
                }

                var expected = new float[inputs * Latent];
                var actual = new float[inputs * Latent];
                KernelSet.Select(Isa.Scalar).MatMulFloat(expectedMatrix, 0, Latent, x, [], expected, Latent);
                kernels.MatMulTransposed(transposed, x, actual, Latent);
                KernelCases.AssertSameBits(expected, actual, $"{type}, {inputs} inputs");
            }
        }
    }

    [Fact]
    public void A_matrix_with_elements_that_are_no_numbers_is_left_as_floats()
    {
        using var data = new AlignedBuffer<byte>(16 * 34);
        BitConverter.TryWriteBytes(data.Span[(7 * 34)..], Half.PositiveInfinity);
        var stored = new WeightMatrix(ElementType.Q8_0, data.View, 16, 32);
        using var room = new AlignedBuffer<byte>(TransposedMatrix.Bytes(stored));
        Assert.Null(TransposedMatrix.TryMake(stored, room.View));
    }

    [Fact]
    public void Types_and_sizes_without_such_a_form_take_no_room()
    {
        Assert.Equal(0, TransposedMatrix.Bytes(new WeightMatrix(ElementType.F32, default, 0, Nope, Latent)));
        Assert.Equal(0, TransposedMatrix.Bytes(new WeightMatrix(ElementType.IQ4_NL, default, 0, Nope, Latent)));
        Assert.Equal(0, TransposedMatrix.Bytes(new WeightMatrix(ElementType.Q8_0, default, 0, Nope + 8, Latent)));
        Assert.Equal(Latent * Nope * 5 / 4, TransposedMatrix.Bytes(new WeightMatrix(ElementType.Q8_0, default, 0, Nope, Latent)));
    }

    private static AlignedBuffer<float> Transpose(WeightMatrix stored)
    {
        var transposed = new AlignedBuffer<float>((long)stored.Rows * stored.Columns);
        var row = new float[stored.Columns];
        for (int r = 0; r < stored.Rows; r++)
        {
            KernelSet.Select(Isa.Scalar).DequantizeRow(stored, r, row);
            for (int column = 0; column < row.Length; column++)
                transposed.Span[(column * stored.Rows) + r] = row[column];
        }

        return transposed;
    }
}
