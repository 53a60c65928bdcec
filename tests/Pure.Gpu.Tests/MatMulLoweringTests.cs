using System.Reflection;
using System.Text.RegularExpressions;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Tests;

/// <summary>Products use the instructions made for them, and what is written past the compiler's back is in the right place.</summary>
public sealed partial class MatMulLoweringTests
{
    public static TheoryData<string> Vectors => [.. MatVecKernel.EntryPoints.Where(method => method.Name == "Quantized").Select(Name)];

    public static TheoryData<string> Tiles => [.. MatMulKernel.EntryPoints.Select(Name)];

    public static TheoryData<string> FloatTiles => [.. MatMulFloatKernel.EntryPoints.Select(Name)];

    [Theory, MemberData(nameof(Vectors))]
    public void Vectors_are_read_sixteen_bytes_at_a_time_and_multiplied_four_bytes_at_a_time(string kernel)
    {
        string text = LoweringTests.Lower(MatVecKernel.EntryPoints.Single(method => Name(method) == kernel));

        // Three blocks are in the text: two in the loop and one after it.
        Assert.Equal(3 * 8, text.Split("dp4a.s32.s32").Length - 1);
        Assert.InRange(text.Split("ld.global.v4.b32").Length - 1, 3 * 3, 3 * 4);
        AssertWrittenRegistersAreReadAfterwards(text);
    }

    [Theory, MemberData(nameof(Tiles))]
    public void Tiles_are_multiplied_by_tensor_cores(string kernel)
    {
        string text = LoweringTests.Lower(MatMulKernel.EntryPoints.Single(method => Name(method) == kernel));

        bool hasPair = kernel.Contains(nameof(SuperScalePair), StringComparison.Ordinal);
        Assert.Equal(hasPair ? 16 : 0, text.Split("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32").Length - 1);
        Assert.Equal(hasPair ? 0 : 8, text.Split("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32").Length - 1);
        Assert.InRange(text.Split("ld.shared.v4").Length - 1, 8, 8);
        AssertWrittenRegistersAreReadAfterwards(text);
    }

    [Theory, MemberData(nameof(FloatTiles))]
    public void Tiles_of_floats_are_multiplied_by_tensor_cores(string kernel)
    {
        string text = LoweringTests.Lower(MatMulFloatKernel.EntryPoints.Single(method => Name(method) == kernel));

        Assert.Equal(16, text.Split("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32").Length - 1);
        Assert.Equal(8, text.Split("ld.shared.v2.f32").Length - 1);
        AssertWrittenRegistersAreReadAfterwards(text);
    }

    /// <summary>
    /// Inline text writes to registers that the compiler believes to hold something else (CudaByteMath): nobody may read them before, and no
    /// operand may be among them.
    /// </summary>
    private static void AssertWrittenRegistersAreReadAfterwards(string text)
    {
        string[] lines = text.Split('\n');
        int written = 0;
        for (int line = 0; line < lines.Length; line++)
        {
            Match instruction = Inline().Match(lines[line]);
            if (!instruction.Success)
                continue;
            string[] targets = [.. Register().Matches(instruction.Groups["targets"].Value).Select(match => match.Value)];
            string[] sources = [.. Register().Matches(instruction.Groups["sources"].Value).Select(match => match.Value)];
            Assert.Empty(targets.Intersect(sources));
            foreach (string target in targets)
            {
                int made = line - 1;
                while (!lines[made].TrimStart().Contains('\t') || Register().Match(lines[made]).Value != target)
                    made--;
                Assert.Matches(@"\b(xor|add)\.", lines[made]);
                Assert.DoesNotContain(lines[(made + 1)..line], between => Register().Matches(between).Any(match => match.Value == target));
                Assert.DoesNotContain(lines[made..line], between => between.Contains("bra", StringComparison.Ordinal));
                written++;
            }
        }

        Assert.True(written > 0);
    }

    private static string Name(MethodInfo method) => method.Name + string.Join(" ", method.GetGenericArguments().Select(Name));

    private static string Name(Type type) => type.Name + string.Concat(type.GetGenericArguments().Select(Name));

    [GeneratedRegex(@"(dp4a\S*|prmt\S*)\s+(?<targets>%[rf]\d+),(?<sources>.*);|mma\S*\s+\{(?<targets>[^}]*)\},(?<sources>.*), \{[^}]*\};")]
    private static partial Regex Inline();

    [GeneratedRegex(@"%[rf]\d+")]
    private static partial Regex Register();
}
