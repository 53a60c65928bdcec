using Pure.Engine.Generation;

namespace Pure.Engine.Tests.Generation;

public sealed class RandomNumberTests
{
    /// <summary>The known answers that Random123 publishes for philox4x32 with 10 rounds.</summary>
    [Fact]
    public void Philox_gives_the_published_answers()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), RandomNumber.Philox(0, 0, 0, 0, 0, 0));
        Assert.Equal(
            (0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu),
            RandomNumber.Philox(~0u, ~0u, ~0u, ~0u, ~0u, ~0u));
        Assert.Equal(
            (0xd16cfe09u, 0x94fdcceb, 0x5001e420u, 0x24126ea1u),
            RandomNumber.Philox(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
    }

    [Fact]
    public void Numbers_lie_from_0_to_below_1_and_differ_by_seed_sequence_and_step()
    {
        var seen = new HashSet<double>();
        for (ulong i = 0; i < 3000; i++)
        {
            Assert.True(seen.Add(RandomNumber.Uniform(i + 1, 0, 0)));
            Assert.True(seen.Add(RandomNumber.Uniform(0, i + 1, 0)));
            Assert.True(seen.Add(RandomNumber.Uniform(0, 0, i << 20)));
        }

        Assert.All(seen, number => Assert.InRange(number, 0, 1 - Math.Pow(2, -53)));
        Assert.Equal(0.5, seen.Average(), 0.02);
    }
}
