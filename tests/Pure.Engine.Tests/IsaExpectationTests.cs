using Pure.Engine.Kernels;

namespace Pure.Engine.Tests;

/// <summary>A run that claims to prove one instruction set's path says so, and fails when it is on another.</summary>
public sealed class IsaExpectationTests
{
    private const string ExpectationVariable = "PURE_EXPECT_ISA";

    [Fact]
    public void This_run_is_on_the_expected_instruction_set()
    {
        string? expected = Environment.GetEnvironmentVariable(ExpectationVariable);
        if (string.IsNullOrEmpty(expected))
            Assert.Skip($"{ExpectationVariable} names no instruction set; .ci/run sets it to scalar, avx2 or avx512.");

        Assert.Equal(expected, KernelSet.Name(KernelSet.Select().Isa));
    }
}
