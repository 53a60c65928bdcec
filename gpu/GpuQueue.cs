using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Pure.Gpu;

/// <summary>
/// What an accelerator is told, in order: launches, copies, and the memory they use. Everything is counted, so that a test can say what a
/// token costs.
/// </summary>
/// <remarks>
/// Copies go through host memory that is page-locked once: the device reads it by itself, while the host goes on. A part of it is written again
/// only after the queue was waited for, which a read-back does anyway: a token's uploads never wait.
/// </remarks>
internal sealed class GpuQueue : IDisposable
{
    /// <summary>Page-locked bytes that small copies need; more let larger ones go without waiting.</summary>
    internal const int LeastStagingBytes = 1 << 20;

    private readonly PageLockedArray1D<byte> _staging;
    private int _staged;

    /// <param name="accelerator">What runs the kernels; the caller's.</param>
    /// <param name="stagingBytes">Page-locked bytes that copies go through.</param>
    internal GpuQueue(Accelerator accelerator, int stagingBytes = LeastStagingBytes)
    {
        Accelerator = accelerator;
        Stream = accelerator.CreateStream();
        _staging = accelerator.AllocatePageLocked1D<byte>(stagingBytes, uninitialized: true);
    }

    /// <summary>What runs the kernels; the caller's.</summary>
    internal Accelerator Accelerator { get; }

    /// <summary>Where launches line up.</summary>
    internal AcceleratorStream Stream { get; }

    /// <summary>Kernels launched so far.</summary>
    internal long Launches { get; private set; }

    /// <summary>Device buffers made so far.</summary>
    internal long Allocations { get; private set; }

    /// <summary>Bytes of these.</summary>
    internal long AllocatedBytes { get; private set; }

    /// <summary>Copies to the device so far.</summary>
    internal long Uploads { get; private set; }

    /// <summary>Bytes of them.</summary>
    internal long UploadedBytes { get; private set; }

    /// <summary>Copies from the device so far, each of which waits for all that was launched before.</summary>
    internal long ReadBacks { get; private set; }

    /// <summary>Room for <paramref name="length"/> elements, not cleared; the caller's.</summary>
    internal MemoryBuffer1D<T, Stride1D.Dense> Allocate<T>(long length)
        where T : unmanaged
    {
        Allocations++;
        MemoryBuffer1D<T, Stride1D.Dense> buffer = Accelerator.Allocate1D<T>(Math.Max(1, length));
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
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(source);
        UploadedBytes += bytes.Length;
        ArrayView<byte> room = target.Cast<byte>();
        for (int done = 0; done < bytes.Length;)
        {
            if (_staged == _staging.Length)
                Finish();
            int count = (int)Math.Min(bytes.Length - done, _staging.Length - _staged);
            bytes.Slice(done, count).CopyTo(_staging.Span[_staged..]);
            room.SubView(done, count).CopyFrom(Stream, _staging.ArrayView.SubView(_staged, count));
            _staged += count;
            done += count;
        }
    }

    /// <summary>Copies the beginning of <paramref name="source"/> into <paramref name="target"/>, and waits for it.</summary>
    internal void ReadBack<T>(ArrayView<T> source, Span<T> target)
        where T : unmanaged
    {
        if (target.IsEmpty)
            return;
        ReadBacks++;
        Span<byte> bytes = MemoryMarshal.AsBytes(target);
        ArrayView<byte> stored = source.Cast<byte>();
        for (int done = 0; done < bytes.Length;)
        {
            // What waits to be uploaded from there is read before, as copies keep their order.
            int count = (int)Math.Min(bytes.Length - done, _staging.Length);
            stored.SubView(done, count).CopyTo(Stream, _staging.ArrayView.SubView(0, count));
            Finish();
            _staging.Span[..count].CopyTo(bytes[done..]);
            done += count;
        }
    }

    /// <summary>Waits for all that was launched and copied.</summary>
    internal void Finish()
    {
        Stream.Synchronize();
        _staged = 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _staging.Dispose();
        Stream.Dispose();
    }
}
