using ILGPU;
using Pure.Engine.Layers;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Layers;

/// <summary>
/// W_UKᵀ, which moves each head's key up-projection to the query. As a matrix of its own it meets queries in the form that its type asks for;
/// as the transpose of a quantised one, whose blocks run the other way, it is kept at half precision and meets floats.
/// </summary>
internal sealed class LatentKeys : IDisposable
{
    private readonly GpuDevice _device;
    private readonly LatentShape _heads;
    private readonly LatentScratch _scratch;
    private readonly DeviceLinear? _stored;
    private readonly HeadMatrices? _transposed;
    private readonly RotateShape _nope;
    private readonly RotaryEmbedding _rope;

    internal LatentKeys(GpuDevice device, MultiHeadLatentAttention attention, LatentScratch scratch)
    {
        _device = device;
        _heads = attention.Shape;
        _scratch = scratch;
        _rope = attention.Rope;
        Linear[] heads = attention.LayerWeights.KeyUp;
        if (heads[0].Transposed is null)
            _stored = new DeviceLinear(device, heads);
        else
            _transposed = new HeadMatrices(device.Queue, heads);
        _nope = RotateShape.OfNope(_heads);
    }

    /// <summary>From the projected queries to the latent part of the absorbed ones.</summary>
    internal void Absorb(DeviceRows rows)
    {
        int stride = _heads.Heads * _heads.QuerySize;
        if (_transposed is not null)
        {
            _device.HeadProducts.Run(
                _transposed,
                _scratch.Queries,
                stride,
                _heads.QuerySize,
                _scratch.Absorbed,
                _heads.Heads * _heads.CacheColumns,
                _heads.CacheColumns,
                rows.Count);
            return;
        }

        DeviceInput nope = _scratch.Nope!;
        int slots = rows.Count * _heads.Heads;
        _device.Cache.Attention.Rotate(rows, _nope, _rope, default, _scratch.Queries, nope.Values);
        if (_stored!.ReadsQ8)
            _device.MatMul.Quantize(nope, slots);
        _stored.RunGrouped(nope, default, _scratch.HeadOfSlot, slots, _scratch.Absorbed, _heads.CacheColumns);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stored?.Dispose();
        _transposed?.Dispose();
    }
}
