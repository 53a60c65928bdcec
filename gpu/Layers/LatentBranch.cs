using ILGPU;
using ILGPU.Runtime;
using Pure.Engine.Devices;
using Pure.Engine.Layers;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Layers;

/// <summary>
/// Multi-head latent attention on a device, in absorbed form (DeepSeek-V2, arXiv:2405.04434, section 2.1): the cache holds the latent and the
/// shared rotary key, and the up-projections stand before and behind the mixture.
/// </summary>
internal sealed class LatentBranch : GpuBranch
{
    private readonly LatentShape _heads;
    private readonly AttentionShape _shape;
    private readonly RotaryEmbedding _rope;
    private readonly DeviceLinear? _queryDown;
    private readonly DeviceNorm? _queryNorm;
    private readonly DeviceLinear _query;
    private readonly DeviceLinear _latentDown;
    private readonly DeviceNorm _latentNorm;
    private readonly LatentKeys _keyUp;
    private readonly DeviceLinear _valueUp;
    private readonly DeviceLinear _output;
    private readonly RotateShape _turnsLatents;
    private readonly RotateShape _turnsQueries;
    private readonly LatentScratch _scratch;

    internal LatentBranch(GpuDevice device, Branch branch, MultiHeadLatentAttention attention, AttentionShape shape, LatentScratch scratch)
        : base(device, branch)
    {
        MultiHeadLatentAttention.Weights weights = attention.LayerWeights;
        _heads = attention.Shape;
        _shape = shape;
        _rope = attention.Rope;
        _queryDown = weights.QueryDown is null ? null : new DeviceLinear(device, weights.QueryDown);
        _queryNorm = weights.QueryNorm is null ? null : new DeviceNorm(device, weights.QueryNorm);
        _query = new DeviceLinear(device, weights.Query);
        _latentDown = new DeviceLinear(device, weights.LatentDown);
        _latentNorm = new DeviceNorm(device, weights.LatentNorm);
        _keyUp = new LatentKeys(device, attention, scratch);
        _valueUp = new DeviceLinear(device, weights.ValueUp);
        _output = new DeviceLinear(device, weights.Output);
        _turnsLatents = RotateShape.OfLatents(_heads, _rope, _latentNorm.Epsilon);
        _turnsQueries = RotateShape.OfLatentQueries(_heads, _rope);
        _scratch = scratch;
    }

    private protected override bool ReadsQ8 => (_queryDown ?? _query).ReadsQ8 | _latentDown.ReadsQ8;

    /// <summary>What its kernels read.</summary>
    internal static AttentionShape ShapeOf(MultiHeadLatentAttention attention) => AttentionShape.Of(
        attention.Shape, attention.Rope.Scaling.ScoreFactor / Math.Sqrt(attention.Shape.QuerySize));

    /// <inheritdoc/>
    public override void Dispose()
    {
        _queryDown?.Dispose();
        _query.Dispose();
        _latentDown.Dispose();
        _keyUp.Dispose();
        _valueUp.Dispose();
        _output.Dispose();
    }

    private protected override void Forward(Step step)
    {
        AttentionOps ops = Gpu.Cache.Attention;
        DeviceRows rows = Gpu.Cache.Rows;
        ArrayView<uint> cache = Gpu.Cache.Layer(step.Layer);
        ArrayView<float> latents = _scratch.Latents;

        _latentDown.Run(Gpu.Normed, step.Rows, latents, _heads.CacheColumns);
        ops.Rotate(rows, _turnsLatents, _rope, _latentNorm.Weight, latents, latents);
        ops.Store(rows, latents, cache, _heads.CacheColumns);

        _query.Run(Compressed(step.Rows), step.Rows, _scratch.Queries, _query.Outputs);
        ops.Rotate(rows, _turnsQueries, _rope, default, _scratch.Queries, _scratch.Absorbed);
        _keyUp.Absorb(rows);
        ops.Attend(rows, _shape, _scratch.Absorbed, cache, default, _scratch.MixedLatents.Values);

        // A head's mixed latent of a row is a slot, and the head its expert.
        int slots = step.Rows * _heads.Heads;
        if (_valueUp.ReadsQ8)
            Gpu.MatMul.Quantize(_scratch.MixedLatents, slots);
        _valueUp.RunGrouped(_scratch.MixedLatents, default, _scratch.HeadOfSlot, slots, _scratch.Mixed.Values, _heads.ValueSize);
        if (_output.ReadsQ8)
            Gpu.MatMul.Quantize(_scratch.Mixed, step.Rows);
        _output.Run(_scratch.Mixed, step.Rows, Gpu.Result, Gpu.Model.Embedding);
    }

    /// <summary>What the query heads are made of: the compressed query, or the hidden state.</summary>
    private DeviceInput Compressed(int rows)
    {
        if (_queryDown is null)
            return Gpu.Normed;
        DeviceInput compressed = _scratch.QueryLatents!;
        _queryDown.Run(Gpu.Normed, rows, compressed.Values, compressed.Columns);
        _queryNorm!.Run(compressed.Values, compressed, rows, _query.ReadsQ8);
        return compressed;
    }
}

/// <summary>Buffers that all layers share.</summary>
internal sealed class LatentScratch : IDisposable
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _latents;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _queries;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _absorbed;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _headOfSlot;

    internal LatentScratch(GpuQueue queue, int rows, MultiHeadLatentAttention attention)
    {
        LatentShape shape = attention.Shape;
        _latents = queue.Allocate<float>((long)rows * shape.CacheColumns);
        _queries = queue.Allocate<float>((long)rows * shape.Heads * shape.QuerySize);
        _absorbed = queue.Allocate<float>((long)rows * shape.Heads * shape.CacheColumns);
        int slots = rows * shape.Heads;
        MixedLatents = new DeviceInput(queue, slots, shape.LatentSize);
        Nope = attention.LayerWeights.KeyUp[0].Transposed is null ? new DeviceInput(queue, slots, shape.NopeSize) : null;
        _headOfSlot = queue.Allocate<int>(slots);
        queue.Upload<int>([.. Enumerable.Range(0, slots).Select(slot => slot % shape.Heads)], _headOfSlot.View);
        Mixed = new DeviceInput(queue, rows, shape.Heads * shape.ValueSize);
        QueryLatents = attention.LayerWeights.QueryDown is { } down ? new DeviceInput(queue, rows, down.Outputs) : null;
    }

    /// <summary>Bytes that they take on the device.</summary>
    internal static long Bytes(long rows, MultiHeadLatentAttention attention)
    {
        LatentShape shape = attention.Shape;
        long slots = rows * shape.Heads;
        return (rows * shape.CacheColumns * sizeof(float))
            + (slots * (shape.QuerySize + shape.CacheColumns) * sizeof(float))
            + DeviceInput.Bytes(slots, shape.LatentSize)
            + (attention.LayerWeights.KeyUp[0].Transposed is null ? DeviceInput.Bytes(slots, shape.NopeSize) : 0)
            + (slots * sizeof(int))
            + DeviceInput.Bytes(rows, shape.Heads * shape.ValueSize)
            + (attention.LayerWeights.QueryDown is { } down ? DeviceInput.Bytes(rows, down.Outputs) : 0);
    }

    /// <summary><c>[rows, q_lora_rank]</c>, where queries are compressed.</summary>
    internal DeviceInput? QueryLatents { get; }

    /// <summary><c>[rows, latent + rope]</c>.</summary>
    internal ArrayView<float> Latents => _latents.View;

    /// <summary><c>[rows, heads · (nope + rope)]</c>.</summary>
    internal ArrayView<float> Queries => _queries.View;

    /// <summary><c>[rows, heads · (latent + rope)]</c>.</summary>
    internal ArrayView<float> Absorbed => _absorbed.View;

    /// <summary><c>[rows · heads, latent]</c>.</summary>
    internal DeviceInput MixedLatents { get; }

    /// <summary><c>[rows · heads, nope]</c>, where products need queries apart from their rotary part; otherwise null.</summary>
    internal DeviceInput? Nope { get; }

    /// <summary>The head of each slot <c>[rows · heads]</c>.</summary>
    internal ArrayView<int> HeadOfSlot => _headOfSlot.View;

    /// <summary><c>[rows, heads · value]</c>.</summary>
    internal DeviceInput Mixed { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        QueryLatents?.Dispose();
        _latents.Dispose();
        _queries.Dispose();
        _absorbed.Dispose();
        _headOfSlot.Dispose();
        MixedLatents.Dispose();
        Nope?.Dispose();
        Mixed.Dispose();
    }
}
