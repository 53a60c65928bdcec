using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Pure.Gpu.Tests;

/// <summary>Kernels become PTX for compute capability 8.0, which needs no GPU.</summary>
public sealed partial class LoweringTests
{
    private const int StaticSharedBytes = 48 << 10;

    // A thread of a full group of 256 may have 255; the text names virtual registers, of which the driver makes fewer.
    private const int MostRegisters = 1024;

    public static TheoryData<string> Kernels => [.. EntryPoints.Keys];

    private static Dictionary<string, MethodInfo> EntryPoints { get; } = typeof(Accelerators).Assembly.GetTypes()
        .Select(type => type.GetProperty("EntryPoints", BindingFlags.Static | BindingFlags.NonPublic))
        .OfType<PropertyInfo>()
        .SelectMany(property => (IEnumerable<MethodInfo>)property.GetValue(null)!)
        .ToDictionary(Name);

    [Fact]
    public void Every_kernel_class_says_what_it_compiles()
    {
        string[] silent =
        [
            .. typeof(Accelerators).Assembly.GetTypes()
                .Where(type => type.Name.EndsWith("Kernel", StringComparison.Ordinal) && type.GetProperty("EntryPoints", BindingFlags.Static | BindingFlags.NonPublic) is null)
                .Select(type => type.Name),
        ];

        Assert.Empty(silent);
        Assert.NotEmpty(EntryPoints);
    }

    [Theory, MemberData(nameof(Kernels))]
    public void A_kernel_lowers_to_ptx_without_local_memory(string kernel)
    {
        string text = Lower(EntryPoints[kernel]);

        Assert.Contains(".target sm_80", text, StringComparison.Ordinal);
        Assert.DoesNotContain(".local", text, StringComparison.Ordinal);
        Assert.InRange(SharedArray().Matches(text).Sum(match => long.Parse(match.Groups[2].Value) * Width(match.Groups[1].Value)), 0, StaticSharedBytes);
        Assert.InRange(Registers().Matches(text).Sum(match => int.Parse(match.Groups[1].Value)), 1, MostRegisters);
    }

    /// <summary>What a kernel becomes.</summary>
    internal static string Lower(MethodInfo kernel)
    {
        using var context = Context.Create(builder => Accelerators.Configure(builder));
        using var backend = new PTXBackend(
            context, new CudaCapabilityContext(CudaArchitecture.SM_80), CudaArchitecture.SM_80, CudaInstructionSet.ISA_70, nvvmAPI: null);
        var compiled = (PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel), KernelSpecialization.Empty);
        return compiled.PTXAssembly;
    }

    private static string Name(MethodInfo method) =>
        method.DeclaringType!.Name + "." + method.Name + string.Concat(method.GetGenericArguments().Select(argument => "<" + argument.Name + ">"));

    private static int Width(string bits) => int.Parse(bits) / 8;

    [GeneratedRegex(@"\.shared\s+\.align\s+\d+\s+\.b(\d+)\s+\S+\[(\d+)\]")]
    private static partial Regex SharedArray();

    [GeneratedRegex(@"\.reg\s+\.\w+\s+%\w+<(\d+)>")]
    private static partial Regex Registers();
}
