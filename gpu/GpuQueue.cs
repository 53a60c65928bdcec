using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Pure.Gpu;

/// <summary>
/// What an accelerator is told, in order: launches, copies, and the memory they use. Everything is counted, so that a test can say what a
/// token costs.
/// </summary>
internal sealed class GpuQueue(Accelerator accelerator) : IDisposable
{
    /// <summary>What runs the kernels; the caller's.</summary>
    internal Accelerator Accelerator => accelerator;

    /// <summary>Where launches line up.</summary>
    internal AcceleratorStream Stream { get; } = accelerator.CreateStream();

    /// <summary>Kernels launched so far.</summary>
    internal long Launches { get; private set; }

    /// <summary>Device buffers made so far.</summary>
    internal long Allocations { get; private set; }

    /// <summary>Bytes of these.</summary>
    internal long AllocatedBytes { get; private set; }

    /// <summary>Copies to the device so far.</summary>
    internal long Uploads { get; private set; }

    /// <summary>Copies from the device so far, each of which waits for all that was launched before.</summary>
    internal long ReadBacks { get; private set; }

    /// <summary>Room for <paramref name="length"/> elements, not cleared; the caller's.</summary>
    internal MemoryBuffer1D<T, Stride1D.Dense> Allocate<T>(long length)
        where T : unmanaged
    {
        Allocations++;
        MemoryBuffer1D<T, Stride1D.Dense> buffer = accelerator.Allocate1D<T>(Math.Max(1, length));
        AllocatedBytes += buffer.LengthInBytes;
        return buffer;
    }

    /// <summary>Counts a launch, and is the stream to launch on.</summary>
    internal AcceleratorStream Launch()
    {
        Launches++;
        return Stream;
    }

    /// <summary>Copies <paramref name="source"/> to the beginning of <paramref name="target"/>; the source may change afterwards.</summary>
    internal void Upload<T>(ReadOnlySpan<T> source, ArrayView<T> target)
        where T : unmanaged
    {
        if (source.IsEmpty)
            return;
        Uploads++;
        target.CopyFromCPU(Stream, ref MemoryMarshal.GetReference(source), source.Length);
    }

    /// <summary>Copies the beginning of <paramref name="source"/> into <paramref name="target"/>, and waits for it.</summary>
    internal void ReadBack<T>(ArrayView<T> source, Span<T> target)
        where T : unmanaged
    {
        if (target.IsEmpty)
            return;
        ReadBacks++;
        source.CopyToCPU(Stream, ref MemoryMarshal.GetReference(target), target.Length);
    }

    /// <inheritdoc/>
    public void Dispose() => Stream.Dispose();
}
