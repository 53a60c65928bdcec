namespace Pure.Gpu.Tests;

/// <summary>Equality up to a share of what is expected.</summary>
internal static class Near
{
    internal static void Assert(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, float share)
    {
        Xunit.Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs((double)actual[i] - expected[i]) <= share * Math.Abs((double)expected[i])))
                Xunit.Assert.Fail($"Element {i} is {actual[i]:R} where {expected[i]:R} belongs, up to {share} of it.");
        }
    }
}
