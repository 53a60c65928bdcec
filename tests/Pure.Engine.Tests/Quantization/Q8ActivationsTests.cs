using FsCheck;
using FsCheck.Fluent;
using Pure.Engine.Quantization;

namespace Pure.Engine.Tests.Quantization;

public class Q8ActivationsTests
{
    private const int BlockSize = Q8Activations.BlockSize;

    [Fact]
    public void An_element_is_off_by_half_a_step_at_most() =>
        Prop.ForAll((int seed) =>
        {
            float[] x = AnyFloats(new Random(seed), 5 * BlockSize);
            var row = new Q8Row(x);
            for (int i = 0; i < x.Length; i++)
            {
                double d = row.Scales[i / BlockSize];
                double bound = Math.Max(d / 2 * (1 + Math.Pow(2, -14)), Math.Pow(2, -100));
                if (Math.Abs(x[i] - (row.Quants[i] * d)) > bound)
                    return false;
            }

            return true;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_largest_element_becomes_127_and_the_sum_is_that_of_the_quants() =>
        Prop.ForAll((int seed) =>
        {
            float[] x = AnyFloats(new Random(seed), BlockSize);
            var row = new Q8Row(x);
            int largest = row.Quants.Max(q => Math.Abs((int)q));
            return row.Sums[0] == row.Quants.Sum(q => q) && largest == (row.Scales[0] == 0 ? 0 : 127);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Halves_go_to_even()
    {
        // amax 127 makes the inverse scale exactly 1.
        float[] x = [127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, .. new float[24]];
        var row = new Q8Row(x);
        Assert.Equal(1, row.Scales[0]);
        Assert.Equal([127, 0, 2, 2, 0, -2, -2, 126], row.Quants.Take(8).Select(q => (int)q));
        Assert.Equal(127 + 126, row.Sums[0]);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_block_that_is_not_finite_has_the_scale_NaN(float bad)
    {
        float[] x = [.. Enumerable.Repeat(1f, 3 * BlockSize)];
        x[BlockSize + 7] = bad;
        var row = new Q8Row(x);
        Assert.True(float.IsNaN(row.Scales[1]));
        Assert.Equal([1 / 127f, 1 / 127f], [row.Scales[0], row.Scales[2]]);
        Assert.All(row.Quants[BlockSize..(2 * BlockSize)], q => Assert.Equal(0, q));
        Assert.Equal(0, row.Sums[1]);
    }

    [Fact]
    public void Blocks_below_2_to_the_minus_100_are_zero()
    {
        float least = MathF.ScaleB(1, -100);
        foreach (float small in new[] { 0, -0f, float.Epsilon, MathF.BitDecrement(least) })
        {
            var row = new Q8Row([small, .. new float[BlockSize - 1]]);
            Assert.Equal(0, row.Scales[0]);
            Assert.All(row.Quants, q => Assert.Equal(0, q));
        }

        foreach (float first in new[] { -least, float.MaxValue })
        {
            var row = new Q8Row([first, .. new float[BlockSize - 1]]);
            Assert.Equal(MathF.Abs(first) / 127f, row.Scales[0]);
            Assert.Equal(127 * MathF.Sign(first), row.Quants[0]);
        }
    }

    /// <summary>Finite floats whose magnitudes lie near each other or up to a hundred binary orders apart.</summary>
    private static float[] AnyFloats(Random random, int count)
    {
        int centre = random.Next(-120, 128);
        int spread = random.Next(1, 12) * random.Next(1, 10);
        float[] x = new float[count];
        for (int i = 0; i < count; i++)
            x[i] = MathF.ScaleB((random.NextSingle() * 2) - 1, Math.Clamp(centre - random.Next(spread), -149, 127));
        return x;
    }
}
