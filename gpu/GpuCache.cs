using Pure.Engine.Devices;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;

namespace Pure.Gpu;

/// <summary>A cache's keys and values on a device, with what attention over it needs.</summary>
internal sealed class GpuCache : IDeviceCache
{
    private readonly GpuDevice _device;
    private readonly DeviceCache _stored;

    internal GpuCache(GpuDevice device, CacheShape shape, int blocks, int[] layers, AttentionShape[] attentions)
    {
        _device = device;
        Columns = shape.Columns;
        try
        {
            _stored = new DeviceCache(device.Queue, shape, device.Model.CacheType, blocks, layers);
            Attention = new AttentionOps(device.Queue, device.Model.CacheType, blocks, attentions);
            Rows = new DeviceRows(device.Queue, device.Model.MaxRows, blocks, Attention.Slots, device.Model.Ropes);
        }
        catch
        {
            Attention?.Dispose();
            _stored?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IDevice Device => _device;

    /// <summary>Columns of a position.</summary>
    internal int Columns { get; }

    /// <summary>What attention does between its matrices.</summary>
    internal AttentionOps Attention { get; }

    /// <summary>The rows of the pass.</summary>
    internal DeviceRows Rows { get; }

    /// <summary>A layer's rows <c>[blocks · 64, columns]</c>.</summary>
    internal ILGPU.ArrayView<uint> Layer(int layer) => _stored.Layer(layer);

    /// <inheritdoc/>
    public void Copy(int from, int to, int positions) => _device.Guard(
        (Stored: _stored, from, to, positions), static copy => copy.Stored.Copy(copy.from, copy.to, copy.positions));

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Rows.Dispose();
            Attention.Dispose();
            _stored.Dispose();
        }
        catch (Exception failed) when (GpuDevice.IsFailure(failed))
        {
            // Of a lost device there is nothing to give back.
        }
    }
}
