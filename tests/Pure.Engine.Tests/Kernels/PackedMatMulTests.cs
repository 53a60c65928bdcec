using Pure.Engine.Kernels;
using Pure.Engine.Kernels.Emit;
using Pure.Engine.Kernels.Packed;
using Pure.Engine.Memory;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Kernels;

/// <summary>Rearranged weights give the bits of the weights as stored, on every path that reads them.</summary>
public sealed class PackedMatMulTests
{
    private static readonly KernelSet Scalar = KernelSet.Select(Isa.Scalar);

    private static readonly ElementType[] Types = [.. KernelCases.AllTypes.Where(PackedMatrix.Has)];

    [Theory]
    [InlineData("128-bit", false)]
    [InlineData("neon", false)]
    [InlineData("avx2", false)]
    [InlineData("avx-vnni", false)]
    [InlineData("avx512", false)]
    [InlineData("avx512", true)]
    public void Products_give_the_bits_of_the_definition(string isa, bool emit)
    {
        KernelSet kernels = Require(isa, emit);
        var random = new Random(31);
        foreach (ElementType type in Types)
        {
            for (int inputs = 1; inputs <= 30; inputs++)
            {
                int rows = random.Next(1, 70);
                int columns = random.Next(1, 6) * Math.Max(64, ElementFormat.Of(type).BlockSize);
                using GuardedMemory<byte> data = random.RandomWeights(type, rows, columns);
                var matrix = new WeightMatrix(type, data.View, rows, columns);
                using var room = new AlignedBuffer<byte>(PackedMatrix.Bytes(matrix));
                var packed = new PackedMatrix(matrix, room.View);
                packed.Pack(0, packed.Groups);
                using var buffer = new ActivationBuffer(inputs, columns);
                Activations x = Quantized(random, kernels, buffer, inputs);

                int stride = rows + random.Next(5);
                var expected = new float[inputs * stride];
                var actual = new float[inputs * stride];
                Scalar.MatMulQ8(matrix, 0, rows, x, [], expected, stride);
                int cut = random.Next(packed.Groups + 1) * PackedMatrix.GroupRows;
                kernels.MatMulPacked(packed, 0, Math.Min(cut, rows), x, [], actual, stride);
                if (cut < rows)
                    kernels.MatMulPacked(packed, cut, rows, x, [], actual, stride);
                KernelCases.AssertSameBits(expected, actual, $"{type} [{rows}, {columns}] × {inputs}");
            }
        }
    }

    [Theory]
    [InlineData("avx2", false)]
    [InlineData("avx512", true)]
    public void Chosen_input_rows_and_parts_of_buffers_give_the_bits_of_the_definition(string isa, bool emit)
    {
        KernelSet kernels = Require(isa, emit);
        var random = new Random(32);
        foreach (ElementType type in Types)
        {
            int columns = 2 * ElementFormat.Of(type).BlockSize;
            using GuardedMemory<byte> data = random.RandomWeights(type, 37, columns);
            var matrix = new WeightMatrix(type, data.View, 37, columns);
            using var room = new AlignedBuffer<byte>(PackedMatrix.Bytes(matrix));
            var packed = new PackedMatrix(matrix, room.View);
            packed.Pack(0, packed.Groups);
            using var buffer = new ActivationBuffer(40, columns);
            Activations x = Quantized(random, kernels, buffer, 40);
            int[] chosen = [.. Enumerable.Range(0, 29).Select(_ => random.Next(40))];
            var expected = new float[29 * 37];
            var actual = new float[29 * 37];
            Scalar.MatMulQ8(matrix, 0, 37, x, chosen, expected, 37);
            kernels.MatMulPacked(packed, 0, 37, x, chosen, actual, 37);
            KernelCases.AssertSameBits(expected, actual, $"{type}, chosen rows");

            Scalar.MatMulQ8(matrix, 0, 37, x.Slice(5, 29), [], expected, 37);
            kernels.MatMulPacked(packed, 0, 37, x.Slice(5, 29), [], actual, 37);
            KernelCases.AssertSameBits(expected, actual, $"{type}, a part of the buffer");
        }
    }

    [Fact]
    public void Largest_codes_and_activations_do_not_overflow()
    {
        foreach (KernelSet kernels in AllThatPack())
        {
            foreach (ElementType type in Types)
            {
                foreach (byte code in (byte[])[0x00, 0x7F, 0x80, 0xFF])
                {
                    int columns = ElementFormat.Of(type).BlockSize;
                    using GuardedMemory<byte> data = new Random(1).RandomWeights(type, 16, columns);
                    SetCodes(type, data.Span, code);
                    var matrix = new WeightMatrix(type, data.View, 16, columns);
                    using var room = new AlignedBuffer<byte>(PackedMatrix.Bytes(matrix));
                    var packed = new PackedMatrix(matrix, room.View);
                    packed.Pack(0, 1);
                    using var buffer = new ActivationBuffer(5, columns);
                    Activations x = buffer.Rows(5);
                    for (int row = 0; row < 5; row++)
                    {
                        x.Row(row).Fill(row % 2 == 0 ? 1 : -1);
                        kernels.QuantizeRow(x, row);
                    }

                    var expected = new float[5 * 16];
                    var actual = new float[5 * 16];
                    Scalar.MatMulQ8(matrix, 0, 16, x, [], expected, 16);
                    kernels.MatMulPacked(packed, 0, 16, x, [], actual, 16);
                    KernelCases.AssertSameBits(expected, actual, $"{type}, codes {code:X2}");
                }
            }
        }
    }

    [Fact]
    public void Every_emitted_kernel_agrees_with_the_definition_when_it_is_made()
    {
        Require("avx512", emit: true);
        foreach (ElementType type in Types)
        {
            for (int width = 1; width <= Panel.MaxWidth; width++)
                Assert.True(EmittedKernels.IsUsable(PackedFormat.Find(type)!, width), $"{type} × {width} was refused");
        }
    }

    [Fact]
    public void Every_quantised_type_has_a_packed_form() => Assert.Equal(KernelCases.QuantizedTypes, Types);

    [Fact]
    public void Panels_take_all_rows_as_evenly_as_possible()
    {
        for (int rows = 1; rows <= 600; rows++)
        {
            int count = Panel.Count(rows);
            int[] widths = [.. Enumerable.Range(0, count).Select(panel => Panel.First(panel + 1, rows) - Panel.First(panel, rows))];
            Assert.Equal(rows, widths.Sum());
            Assert.Equal(0, Panel.First(0, rows));
            Assert.InRange(widths.Max(), 1, Panel.MaxWidth);
            Assert.InRange(widths.Max() - widths.Min(), 0, 1);
        }
    }

    [Fact]
    public void Kernels_that_read_weights_as_stored_refuse_rearranged_ones()
    {
        using GuardedMemory<byte> data = new Random(1).RandomWeights(ElementType.Q8_0, 1, 32);
        var packed = new PackedMatrix(new WeightMatrix(ElementType.Q8_0, data.View, 1, 32), default);
        using var buffer = new ActivationBuffer(1, 32);
        Assert.False(Scalar.ReadsPacked);
        Assert.Throws<NotSupportedException>(() => Scalar.MatMulPacked(packed, 0, 1, buffer.Rows(1), [], new float[1], 1));
    }

    private static KernelSet Require(string isa, bool emit)
    {
        KernelSet kernels = KernelCases.Require(isa, emit);
        if (emit && !kernels.Emits)
            Assert.Skip("emitted kernels need 512-bit VNNI and Linux on x64");
        return kernels;
    }

    private static IEnumerable<KernelSet> AllThatPack() => KernelSet.Supported
        .SelectMany(isa => new[] { KernelSet.Select(isa), KernelSet.Select(isa, emit: false) })
        .Append(KernelCases.Require("128-bit"))
        .Where(kernels => kernels.ReadsPacked);

    private static Activations Quantized(Random random, KernelSet kernels, ActivationBuffer buffer, int rows)
    {
        Activations x = buffer.Rows(rows);
        for (int row = 0; row < rows; row++)
        {
            foreach (ref float value in x.Row(row))
                value = random.NextNormal();
            kernels.QuantizeRow(x, row);
        }

        return x;
    }

    private static void SetCodes(ElementType type, Span<byte> data, byte code)
    {
        ElementFormat format = ElementFormat.Of(type);
        for (int start = 0; start < data.Length; start += format.BlockBytes)
        {
            Span<byte> block = data.Slice(start, format.BlockBytes);
            switch (type)
            {
                case ElementType.Q6_K: block[..208].Fill(code); break;
                case ElementType.Q2_K: block[..80].Fill(code); break;
                case ElementType.Q3_K: block[..108].Fill(code); break;
                case ElementType.MXFP4: block[1..].Fill(code); break;
                case ElementType.Q4_1 or ElementType.Q5_1 or ElementType.Q4_K or ElementType.Q5_K: block[4..].Fill(code); break;
                default: block[2..].Fill(code); break;
            }
        }
    }
}
