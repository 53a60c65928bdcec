using Pure.Engine.Kernels;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Kernels;

/// <summary>The kernels' door: which set is chosen, and what is refused.</summary>
public sealed class KernelSetTests
{
    private static readonly KernelSet Scalar = KernelSet.Select(Isa.Scalar);

    [Fact]
    public void The_best_set_is_chosen_unless_another_is_wished()
    {
        Assert.Equal(KernelSet.Supported[^1], KernelSet.Select(null, null).Isa);
        Assert.Equal(KernelSet.Supported[^1], KernelSet.Select(null, "").Isa);
        Assert.Equal(Isa.Scalar, KernelSet.Select(null, "Scalar").Isa);
        Assert.Equal(Isa.Scalar, KernelSet.Select(Isa.Scalar, "mmx").Isa); // a wish goes before the variable
        var unknown = Assert.Throws<InvalidRequestException>(() => KernelSet.Select(null, "mmx"));
        Assert.Contains("mmx", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("scalar", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_the_processor_lacks_is_refused_by_name()
    {
        var missing = Enum.GetValues<Isa>().Where(isa => !KernelSet.Supported.Contains(isa)).Append((Isa)99);
        foreach (Isa isa in missing)
        {
            var refused = Assert.Throws<InvalidRequestException>(() => KernelSet.Select(isa));
            Assert.Contains(KernelSet.Name(isa), refused.Message, StringComparison.Ordinal);
            Assert.Contains("scalar", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused_at_the_door()
    {
        float[] four = new float[4], five = new float[5];
        Assert.Throws<ArgumentException>(() => Scalar.RmsNorm(four, five, 0, four));
        Assert.Throws<ArgumentException>(() => Scalar.RmsNorm(four, four, 0, five));
        Assert.Throws<ArgumentException>(() => Scalar.Rotate(five, four, four, true));
        Assert.Throws<ArgumentException>(() => Scalar.Gate(GateActivation.Silu, four, five, four));
        Assert.Throws<ArgumentException>(() => Scalar.Add(four, five));
        Assert.Throws<ArgumentException>(() => Scalar.AddScaled(four, 1, five));
        Assert.Throws<ArgumentException>(() => Scalar.MergeScaled(four, 1, five, 1));

        using var data = new GuardedMemory<float>(16);
        var rows = CacheRows.Apart(data.View, ElementType.F32, 4, 4, 4);
        Assert.Throws<ArgumentException>(() => Scalar.Scores(five, rows, 1, four));
        Assert.Throws<ArgumentException>(() => Scalar.Scores(four, rows, 1, five));
        Assert.Throws<ArgumentException>(() => Scalar.Scores(four, rows with { RowBytes = 20 }, 1, four));
        Assert.Throws<ArgumentException>(() => Scalar.Scores(four, rows with { RowBytes = 12 }, 1, four));
        Assert.Throws<ArgumentException>(() => Scalar.AddWeighted(five, rows, four));
        Assert.Throws<ArgumentException>(() => Scalar.Widen(rows with { Type = ElementType.Q8_0 }, new float[16]));
        Assert.Throws<ArgumentException>(() => Scalar.Scores(new float[32], CacheRows.Apart(data.View, ElementType.Q8_0, 32, 32, 1), 1, [0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalar.Scores(four, rows with { Count = -1 }, 1, four));
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_at_the_door()
    {
        using var data = new GuardedMemory<byte>(4 * 34);
        using var buffer = new ActivationBuffer(2, 32);
        using var wide = new ActivationBuffer(2, 64);
        var y = new float[8];
        var weights = new WeightMatrix(ElementType.Q8_0, data.View, 4, 32);
        Scalar.MatMulQ8(weights, 0, 4, buffer.Rows(2), [], y, 4);
        Scalar.MatMulQ8(weights, 4, 4, buffer.Rows(2), [], y, 4);
        Assert.Throws<ArgumentException>(() => Scalar.MatMulQ8(weights, 0, 4, wide.Rows(2), [], y, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalar.MatMulQ8(weights, 0, 5, buffer.Rows(2), [], y, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalar.MatMulQ8(weights, -1, 4, buffer.Rows(2), [], y, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalar.MatMulQ8(weights, 3, 2, buffer.Rows(2), [], y, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalar.MatMulQ8(weights, 0, 4, buffer.Rows(2), [2], y, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalar.MatMulQ8(weights, 0, 4, buffer.Rows(2), [-1], y, 4));
        Assert.Throws<ArgumentException>(() => Scalar.MatMulFloat(weights, 0, 4, buffer.Rows(2), [], y, 3));
        Assert.Throws<ArgumentException>(() => Scalar.MatMulFloat(weights, 0, 4, buffer.Rows(2), [0, 1, 0], y, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalar.DequantizeRow(weights, 4, new float[32]));
        Assert.Throws<ArgumentException>(() => Scalar.DequantizeRow(weights, 0, new float[31]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalar.QuantizeRow(buffer.Rows(2), 2));

        // Rows that are shorter than their type says, and floats where 8-bit activations need quantised weights.
        Assert.Throws<ArgumentException>(() => Scalar.MatMulQ8(new WeightMatrix(ElementType.Q8_0, data.View, 8, 32), 0, 4, buffer.Rows(2), [], y, 4));
        using var floats = new GuardedMemory<float>(128);
        Assert.Throws<ArgumentException>(() => Scalar.MatMulQ8(new WeightMatrix(ElementType.F32, floats.View, 4, 32), 0, 4, buffer.Rows(2), [], y, 4));
    }

    [Theory]
    [InlineData("scalar")]
    [InlineData("avx2")]
    [InlineData("avx512")]
    public void A_steady_state_allocates_nothing(string isa)
    {
        KernelSet kernels = KernelCases.Require(isa);
        using var data = new GuardedMemory<byte>(16 * 144);
        using var buffer = new ActivationBuffer(3, 256);
        var y = new float[48];
        var weights = new WeightMatrix(ElementType.Q4_K, data.View, 16, 256);
        void Step()
        {
            kernels.QuantizeRow(buffer.Rows(3), 1);
            kernels.MatMulQ8(weights, 0, 16, buffer.Rows(3), [0, 1, 2], y, 16);
            kernels.MatMulFloat(weights, 0, 16, buffer.Rows(3), [], y, 16);
            kernels.ExpOfScores(y);
            kernels.RmsNorm(y, y, 1, y);
        }

        for (int i = 0; i < 50; i++)
            Step();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
            Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
