using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>Opens what kernels run on: a CUDA device, or threads of the processor that play one.</summary>
/// <remarks>
/// The CPU accelerator is exact and slow, a thread of the system for each of the GPU's: it is there to prove kernels where there is no GPU.
/// Its warps have four lanes, so that a barrier is met by four threads and not by a thousand; kernels are written for any width.
/// </remarks>
internal static class Accelerators
{
    /// <summary>Lanes of a warp on the CPU accelerator, which are also all threads of a group.</summary>
    internal const int CpuLanes = 4;

    static Accelerators() => FusedMultiplyAdd.Register();

    /// <summary>Threads of the processor that play a GPU.</summary>
    internal static Accelerator OpenCpu() => Own(
        Context.Create(builder => Configure(builder).CPU(new CPUDevice(CpuLanes, 1, 1))),
        context => context.GetCPUDevice(0).CreateAccelerator(context));

    /// <summary>CUDA device <paramref name="number"/>, or null where there is none.</summary>
    /// <exception cref="Exception">The driver fails; what is thrown is ILGPU's.</exception>
    internal static Accelerator? OpenCuda(int number)
    {
        Context context = Context.Create(builder => Configure(builder).Cuda());
        if (number >= context.GetCudaDevices().Count)
        {
            context.Dispose();
            return null;
        }

        return Own(context, context => context.GetCudaDevice(number).CreateAccelerator(context));
    }

    /// <summary>How kernels are compiled, here and where a test only looks at what they become.</summary>
    internal static Context.Builder Configure(Context.Builder builder) => builder.EnableAlgorithms().Optimize(OptimizationLevel.O2);

    private static Accelerator Own(Context context, Func<Context, Accelerator> open)
    {
        try
        {
            Accelerator accelerator = open(context);
            accelerator.Disposed += (_, _) => context.Dispose();
            return accelerator;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }
}
