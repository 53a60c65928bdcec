using System.Reflection;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

/// <summary>What attention reads most is read sixteen bytes at a time.</summary>
public sealed class AttentionLoweringTests
{
    public static TheoryData<string> Kernels => [.. Readers.Keys];

    private static Dictionary<string, MethodInfo> Readers { get; } = AttentionKernel.EntryPoints.Concat(HeadMatVecKernel.EntryPoints)
        .ToDictionary(method => $"{method.DeclaringType!.Name}.{method.Name}<{string.Join(", ", method.GetGenericArguments().Select(type => type.Name))}>");

    [Theory, MemberData(nameof(Kernels))]
    public void Keys_weights_and_factors_are_read_sixteen_bytes_at_a_time(string kernel)
    {
        string text = LoweringTests.Lower(Readers[kernel]);

        Assert.Contains("ld.global.v4.b32", text, StringComparison.Ordinal);

        // Eight elements of a key or a row of weights meet four queries in eight loads, and eight in sixteen.
        int fours = kernel.Contains(nameof(JointSums8), StringComparison.Ordinal) ? 16 : kernel.Contains(nameof(JointSums4), StringComparison.Ordinal) ? 8 : 0;
        Assert.InRange(text.Split("ld.shared.v4.f32").Length - 1, fours, 2 * fours);
    }
}
