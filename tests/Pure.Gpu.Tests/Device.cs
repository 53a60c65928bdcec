using ILGPU;
using ILGPU.Runtime;

namespace Pure.Gpu.Tests;

/// <summary>An accelerator with the kernels of a test and the buffers that it fills.</summary>
internal sealed class Device : IDisposable
{
    private readonly List<MemoryBuffer> _buffers = [];
    private readonly Random _random;

    internal Device(Accelerator accelerator, int seed = 1)
    {
        Queue = new GpuQueue(accelerator);
        Elementwise = new Elementwise(Queue);
        _random = new Random(seed);
    }

    internal GpuQueue Queue { get; }

    internal Elementwise Elementwise { get; }

    /// <summary>Numbers from -<paramref name="size"/> to <paramref name="size"/>.</summary>
    internal float[] Random(int length, float size = 1) =>
        [.. Enumerable.Range(0, length).Select(_ => ((2 * _random.NextSingle()) - 1) * size)];

    internal ArrayView<T> Upload<T>(T[] values)
        where T : unmanaged
    {
        MemoryBuffer1D<T, Stride1D.Dense> buffer = Queue.Allocate<T>(values.Length);
        _buffers.Add(buffer);
        Queue.Upload<T>(values, buffer.View);
        return buffer.View.AsContiguous();
    }

    internal T[] Read<T>(ArrayView<T> view, int? length = null)
        where T : unmanaged
    {
        var values = new T[length ?? (int)view.Length];
        Queue.ReadBack(view, values);
        return values;
    }

    public void Dispose()
    {
        foreach (MemoryBuffer buffer in _buffers)
            buffer.Dispose();
        Queue.Dispose();
    }
}
