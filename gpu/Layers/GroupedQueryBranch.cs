using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Devices;
using Pure.Engine.Layers;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Layers;

/// <summary>Grouped-query attention on a device (Ainslie et al. 2023, arXiv:2305.13245).</summary>
internal sealed class GroupedQueryBranch : GpuBranch
{
    private readonly GroupedQueryShape _heads;
    private readonly AttentionShape _shape;
    private readonly RotaryEmbedding _rope;
    private readonly DeviceLinear _query;
    private readonly DeviceLinear _key;
    private readonly DeviceLinear _value;
    private readonly DeviceLinear _output;
    private readonly DeviceNorm? _queryNorm;
    private readonly DeviceNorm? _keyNorm;
    private readonly RotateShape _turnsQueries;
    private readonly RotateShape _turnsKeys;
    private readonly ArrayView<float> _sinks;
    private readonly AttentionScratch _scratch;

    internal GroupedQueryBranch(
        GpuDevice device, Branch branch, GroupedQueryAttention attention, AttentionShape shape, AttentionScratch scratch)
        : base(device, branch)
    {
        GroupedQueryAttention.Weights weights = attention.LayerWeights;
        _heads = attention.Shape;
        _shape = shape;
        _rope = attention.Rope;
        _query = new DeviceLinear(device, weights.Query);
        _key = new DeviceLinear(device, weights.Key);
        _value = new DeviceLinear(device, weights.Value);
        _output = new DeviceLinear(device, weights.Output);
        _queryNorm = weights.QueryNorm is null ? null : new DeviceNorm(device, weights.QueryNorm);
        _keyNorm = weights.KeyNorm is null ? null : new DeviceNorm(device, weights.KeyNorm);
        _turnsQueries = RotateShape.Of(
            _query.Outputs, 0, _heads.Heads, _heads.KeySize, _rope, _queryNorm?.Size ?? 0, _queryNorm?.Epsilon ?? 0);
        _turnsKeys = RotateShape.Of(
            _heads.CacheColumns, 0, _heads.KvHeads, _heads.KeySize, _rope, _keyNorm?.Size ?? 0, _keyNorm?.Epsilon ?? 0);
        _sinks = device.Upload(weights.Sinks);
        _scratch = scratch;
    }

    private protected override bool ReadsQ8 => _query.ReadsQ8 | _key.ReadsQ8 | _value.ReadsQ8;

    /// <summary>What its kernels read.</summary>
    internal static AttentionShape ShapeOf(GroupedQueryAttention attention) =>
        AttentionShape.Of(attention.Shape, attention.Scale, attention.Window, attention.LayerWeights.Sinks is not null);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _query.Dispose();
        _key.Dispose();
        _value.Dispose();
        _output.Dispose();
    }

    private protected override void Forward(Step step)
    {
        AttentionOps ops = Gpu.Cache.Attention;
        DeviceRows rows = Gpu.Cache.Rows;
        ArrayView<uint> cache = Gpu.Cache.Layer(step.Layer);
        ArrayView<float> q = _scratch.Queries;
        ArrayView<float> kv = _scratch.KeysValues;

        _query.Run(Gpu.Normed, step.Rows, q, _query.Outputs);
        _key.Run(Gpu.Normed, step.Rows, kv, _heads.CacheColumns);
        _value.Run(Gpu.Normed, step.Rows, kv.SubView(_key.Outputs), _heads.CacheColumns);
        ops.Rotate(rows, _turnsQueries, _rope, _queryNorm?.Weight ?? default, q, q);
        ops.Rotate(rows, _turnsKeys, _rope, _keyNorm?.Weight ?? default, kv, kv);
        ops.Store(rows, kv, cache, _heads.CacheColumns);
        ops.Attend(rows, _shape, q, cache, _sinks, _scratch.Mixed.Values);
        if (_output.ReadsQ8)
            Gpu.MatMul.Quantize(_scratch.Mixed, step.Rows);
        _output.Run(_scratch.Mixed, step.Rows, Gpu.Result, Gpu.Model.Embedding);
    }
}

/// <summary>Buffers that all layers share.</summary>
internal sealed class AttentionScratch(GpuQueue queue, int rows, GroupedQueryShape heads) : IDisposable
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _queries = queue.Allocate<float>((long)rows * heads.Heads * heads.KeySize);
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _keysValues = queue.Allocate<float>((long)rows * heads.CacheColumns);

    /// <summary><c>[rows, heads · key]</c>.</summary>
    internal ArrayView<float> Queries => _queries.View;

    /// <summary><c>[rows, CacheColumns]</c>.</summary>
    internal ArrayView<float> KeysValues => _keysValues.View;

    /// <summary><c>[rows, heads · value]</c>.</summary>
    internal DeviceInput Mixed { get; } = new(queue, rows, heads.Heads * heads.ValueSize);

    /// <summary>Bytes that they take on the device.</summary>
    internal static long Bytes(long rows, GroupedQueryShape heads) =>
        (rows * ((heads.Heads * heads.KeySize) + heads.CacheColumns) * sizeof(float)) + DeviceInput.Bytes(rows, heads.Heads * heads.ValueSize);

    /// <inheritdoc/>
    public void Dispose()
    {
        _queries.Dispose();
        _keysValues.Dispose();
        Mixed.Dispose();
    }
}
