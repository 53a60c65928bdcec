using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using Pure.Engine.Layers;

namespace Pure.Gpu.Tests;

/// <summary>Groups of several warps, which a CUDA device has and the usual CPU accelerator has not.</summary>
public sealed class WideGroupTests
{
    [Fact]
    public void Warps_of_a_group_work_together()
    {
        using var context = Context.Create(builder => Accelerators.Configure(builder).CPU(new CPUDevice(Accelerators.CpuLanes, 2, 1)));
        using Accelerator accelerator = context.GetCPUDevice(0).CreateAccelerator(context);
        Assert.Equal(2 * Accelerators.CpuLanes, accelerator.MaxNumThreadsPerGroup);
        using var device = new Device(accelerator);

        float[] x = device.Random(70);
        ArrayView<float> y = device.Upload(new float[70]);
        device.Elementwise.RmsNorm(device.Upload(x), 70, device.Upload(Enumerable.Repeat(1f, 70).ToArray()), y, 70, 1, 70, 0);
        double root = Math.Sqrt(x.Sum(value => (double)value * value) / 70);
        Near.Assert([.. x.Select(value => (float)(value / root))], device.Read(y), 1e-6f);

        using var routing = new Routing(device.Queue, new RouterShape(7, 3, GateFunction.Softmax, 1, 1, true, 1), 9);
        routing.Choose(device.Upload(device.Random(63)), 7, default, 9);
        GroupKernelTests.AssertGrouped(device, routing, device.Read(routing.ExpertOfPair));
    }
}
