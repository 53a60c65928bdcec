using System.Globalization;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Pure.Engine.Devices;
using IDevice = Pure.Engine.Devices.IDevice;

namespace Pure.Gpu;

/// <summary>What the engine finds when it looks for devices: CUDA's, and one that threads of the processor play.</summary>
internal sealed class Plugin : IDevicePlugin
{
    private const string Emulated = "emulated";
    private const string EmulatedPrefix = "emulated:";
    private const string CudaPrefix = "cuda:";

    /// <inheritdoc/>
    public IReadOnlyList<DeviceInfo> List()
    {
        var devices = new List<DeviceInfo>();
        for (int number = 0; Open(number) is { } accelerator; number++)
        {
            using (accelerator)
                devices.Add(Describe($"{CudaPrefix}{number}", accelerator));
        }

        return devices;
    }

    /// <inheritdoc/>
    public IDevice Open(string name, DeviceModel model)
    {
        Accelerator accelerator = Find(name);
        try
        {
            return new GpuDevice(name, accelerator, model);
        }
        catch (Exception failed) when (GpuDevice.IsFailure(failed))
        {
            accelerator.Dispose();
            throw GpuDevice.Failure(name, failed);
        }
    }

    private static Accelerator Find(string name)
    {
        if (name == Emulated || Number(name, EmulatedPrefix) is not null)
            return Accelerators.OpenCpu();
        if (Number(name, CudaPrefix) is not { } number)
            throw new DeviceException($"There is no device \"{name}\"; pure devices shows those of this machine, cpu is the processor.");
        return Open(number) ?? throw new DeviceException(
            $"There is no device \"{name}\": the GPU plugin found no driver of CUDA, or fewer devices; pure devices shows those there are.");
    }

    private static int? Number(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static Accelerator? Open(int number)
    {
        try
        {
            return Accelerators.OpenCuda(number);
        }
        catch (Exception missing) when (missing is DllNotFoundException or TypeInitializationException or NotSupportedException or CudaException)
        {
            throw new DeviceException($"CUDA cannot be used, as its driver is missing or too old: {(missing.InnerException ?? missing).Message}", missing);
        }
    }

    private static DeviceInfo Describe(string name, Accelerator accelerator) => new(
        name,
        accelerator is CudaAccelerator cuda
            ? $"{cuda.Name}, {cuda.NumMultiprocessors} multiprocessors, {cuda.Architecture}, driver's CUDA {cuda.DriverVersion}"
            : accelerator.Name,
        accelerator.MemorySize,
        accelerator is CudaAccelerator free ? free.GetFreeMemory() : accelerator.MemorySize);
}
