using ILGPU.Runtime;

namespace Pure.Gpu.Tests;

/// <summary>The accelerators that kernels are tested on: the CPU's, and CUDA device 0 where there is one.</summary>
public sealed class GpuFixture : IDisposable
{
    private readonly Accelerator _cpu = Accelerators.OpenCpu();
    private readonly Accelerator? _cuda;
    private readonly string _whyNot = "this machine has no CUDA device";

    public GpuFixture()
    {
        try
        {
            _cuda = Accelerators.OpenCuda(0);
        }
        catch (Exception missing) when (missing is DllNotFoundException or TypeInitializationException or NotSupportedException)
        {
            _whyNot = missing.Message;
        }
    }

    /// <summary>Names for <c>[MemberData]</c>: what a test is run on.</summary>
    public static TheoryData<string> Names => ["cpu", "cuda"];

    /// <summary>The accelerator of a name; skips the test where the machine has none.</summary>
    internal Accelerator Open(string name)
    {
        if (name == "cpu")
            return _cpu;
        Assert.SkipWhen(_cuda is null, $"Nothing ran on CUDA: {_whyNot}; run dotnet test tests/Pure.Gpu.Tests -p:WithILGPU=true where there is a GPU");
        return _cuda!;
    }

    public void Dispose()
    {
        _cuda?.Dispose();
        _cpu.Dispose();
    }
}
