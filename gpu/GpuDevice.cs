using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;
using Pure.Gpu.Kernels;
using Pure.Gpu.Layers;
using IDevice = Pure.Engine.Devices.IDevice;

namespace Pure.Gpu;

/// <summary>
/// An accelerator as a device of the engine. Weights, keys and values, and the hidden state of a pass stay on it from branch to branch; what
/// goes there for a token is its hidden state and its place, and what comes back is the logits.
/// </summary>
internal sealed class GpuDevice : IDevice
{
    // For compiled kernels, norms, and what the driver takes for itself; and a share, as memory is handed out in pieces of 2 MiB.
    private const long ReserveBytes = 256L << 20;
    private const int ReserveShare = 32;
    private const int MostEmulatedMegabytes = 1024;
    private const int MostStagingBytes = 64 << 20;

    private readonly Accelerator _accelerator;
    private readonly List<IDisposable> _owned = [];
    private readonly List<AttentionShape> _shapes = [];
    private GatedScratch? _gated;
    private SharedScratch? _shared;
    private MixtureScratch? _mixture;
    private SplitScratch? _split;
    private ExpertCache? _experts;
    private AttentionScratch? _grouped;
    private LatentScratch? _latent;

    internal GpuDevice(string name, Accelerator accelerator, DeviceModel model)
    {
        _accelerator = accelerator;
        Name = name;
        Model = model;
        Queue = new GpuQueue(accelerator, StagingBytes(model));
        MatMul = new MatMul(Queue);
        Elementwise = new Elementwise(Queue);
        HeadProducts = new HeadProducts(Queue);
        Hidden = Own(Queue.Allocate<float>((long)model.MaxRows * model.Embedding)).View;
        Result = Own(Queue.Allocate<float>((long)model.MaxRows * model.Embedding)).View;
        Normed = Own(new DeviceInput(Queue, model.MaxRows, model.Embedding));
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long FreeBytes
    {
        get
        {
            if (_accelerator is not CudaAccelerator cuda)
                return (long)MostEmulatedMegabytes << 20;
            long free = cuda.GetFreeMemory();
            return Math.Max(0, free - (free / ReserveShare) - ReserveBytes);
        }
    }

    /// <summary>What the model is.</summary>
    internal DeviceModel Model { get; }

    /// <summary>What the accelerator is told, and the counts of it.</summary>
    internal GpuQueue Queue { get; }

    /// <summary>Matrix products.</summary>
    internal MatMul MatMul { get; }

    /// <summary>Norms, gates and sums.</summary>
    internal Elementwise Elementwise { get; }

    /// <summary>Products with the matrices of single heads.</summary>
    internal HeadProducts HeadProducts { get; }

    /// <summary>The hidden state <c>[rows, embedding]</c>.</summary>
    internal ArrayView<float> Hidden { get; }

    /// <summary>What a branch reads: the normalised hidden state <c>[rows, embedding]</c>.</summary>
    internal DeviceInput Normed { get; }

    /// <summary>What a branch makes <c>[rows, embedding]</c>.</summary>
    internal ArrayView<float> Result { get; }

    /// <summary>The cache of the pass, which holds what attention needs to know of its rows.</summary>
    internal GpuCache Cache { get; private set; } = null!;

    /// <summary>Whether the accelerator or its driver throws such a thing: memory, a lost device, a kernel that it cannot have.</summary>
    internal static bool IsFailure(Exception exception) => exception is AcceleratorException or OutOfMemoryException or InternalCompilerException
        or CapabilityNotSupportedException or NotSupportedException;

    /// <summary>The same in a sentence.</summary>
    internal static DeviceException Failure(string name, Exception failed) =>
        new($"{name} failed: {failed.Message.TrimEnd('.')}; put fewer layers on it (--gpu-layers), or use another device.", failed);

    /// <inheritdoc/>
    public string? Refusal(Branch branch, Placement placement) => BranchRules.Refusal(branch, placement, Model);

    /// <inheritdoc/>
    public DeviceBytes BytesOf(Branch branch, Placement placement) => BranchRules.BytesOf(branch, placement, Model);

    /// <inheritdoc/>
    public DeviceBytes? BytesOf(OutputHead head) => GpuHead.BytesOf(head, Model.MaxRows);

    /// <inheritdoc/>
    public IDeviceBranch Place(Branch branch, Placement placement) => Guard<IDeviceBranch>(() => branch.Sublayer switch
    {
        GroupedQueryAttention attention => Own(new GroupedQueryBranch(
            this, branch, attention, Announce(GroupedQueryBranch.ShapeOf(attention)), RoomFor(attention.Shape))),
        MultiHeadLatentAttention attention => Own(new LatentBranch(
            this, branch, attention, Announce(LatentBranch.ShapeOf(attention)), RoomFor(attention))),
        GatedFeedForward network => Own(new GatedBranch(this, branch, network, RoomFor(network))),
        MixtureOfExperts mixture when placement == Placement.Split => Own(new SplitMixtureBranch(
            this, branch, mixture, RoomForPartOf(mixture))),
        MixtureOfExperts mixture when placement == Placement.Cached => Own(new CachedMixtureBranch(
            this, branch, mixture, RoomFor(mixture), _experts ?? throw new DeviceException($"{Name} has no cache of experts for layer {branch.Layer}."))),
        MixtureOfExperts mixture => Own(new ResidentMixtureBranch(this, branch, mixture, RoomFor(mixture))),
        _ => throw new DeviceException($"{Name} cannot run layer {branch.Layer}; leave it in memory."),
    });

    /// <inheritdoc/>
    public long LeastExpertCacheBytes(IReadOnlyList<Branch> mixtures) => ExpertCache.LeastBytes(Mixtures(mixtures));

    /// <inheritdoc/>
    public void MakeExpertCache(IReadOnlyList<Branch> mixtures, long bytes) =>
        Guard(() => _experts = Own(new ExpertCache(this, Mixtures(mixtures), bytes)));

    /// <inheritdoc/>
    public ExpertReads ExpertReads => _experts?.Reads ?? default;

    /// <inheritdoc/>
    public IDeviceHead Place(OutputHead head) => Guard<IDeviceHead>(() => Own(new GpuHead(this, head)));

    /// <inheritdoc/>
    public IDeviceCache? CreateCache(CacheShape shape, int blocks, IReadOnlyList<int> layers) =>
        Guard<IDeviceCache>(() => new GpuCache(this, shape, blocks, [.. layers], [.. _shapes]));

    /// <inheritdoc/>
    public void Begin(Batch batch)
    {
        if (batch.Rows[0].Sequence.Cache.On(this) is not GpuCache cache)
            return;
        foreach (ref readonly BatchRow row in batch.Rows)
        {
            if (row.Sequence.Cache.On(this) != cache)
                throw new Engine.InvalidRequestException($"Rows of one batch lie in several caches on {Name}; make their sequences in one cache.");
        }

        Cache = cache;
        Guard((cache, batch), static pass => pass.cache.Rows.Upload(pass.batch));
    }

    /// <inheritdoc/>
    public void Take(in Activations x)
    {
        // Rows in memory are padded to whole blocks, and so are these: embeddings here are multiples of 32.
        Guard((Device: this, Rows: x), static move => move.Device.Queue.Upload<float>(move.Rows.All, move.Device.Hidden));
    }

    /// <inheritdoc/>
    public void Give(in Activations x) =>
        Guard((Device: this, Rows: x), static move => move.Device.Queue.ReadBack(move.Device.Hidden, move.Rows.All));

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int index = _owned.Count - 1; index >= 0; index--)
            _owned[index].Dispose();
        Queue.Dispose();
        _accelerator.Dispose();
    }

    /// <summary>Keeps something until the device is closed.</summary>
    internal T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    /// <summary>A vector of floats on the device; empty stays empty.</summary>
    internal ArrayView<float> Upload(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty)
            return default;
        ArrayView<float> view = Own(Queue.Allocate<float>(values.Length)).View;
        Queue.Upload(values, view);
        return view;
    }

    /// <summary>Does what the accelerator may fail at; with a static method, which is handed what it works on, nothing is allocated.</summary>
    /// <exception cref="DeviceException">It failed.</exception>
    internal void Guard<TState>(TState state, Action<TState> work)
    {
        try
        {
            // Where another device was the thread's, every launch and copy would change to this one and back.
            _accelerator.Bind();
            work(state);
        }
        catch (Exception failed) when (IsFailure(failed))
        {
            throw Failure(Name, failed);
        }
    }

    private T Guard<T>(Func<T> work)
    {
        T result = default!;
        Guard(work, done => result = done());
        return result;
    }

    private static MixtureOfExperts[] Mixtures(IReadOnlyList<Branch> branches) => [.. branches.Select(branch => (MixtureOfExperts)branch.Sublayer)];

    private AttentionShape Announce(AttentionShape shape)
    {
        _shapes.Add(shape);
        return shape;
    }

    private AttentionScratch RoomFor(GroupedQueryShape heads) => _grouped ??= Own(new AttentionScratch(Queue, Model.MaxRows, heads));

    private LatentScratch RoomFor(MultiHeadLatentAttention attention) => _latent ??= Own(new LatentScratch(Queue, Model.MaxRows, attention));

    // Layers share scratch: there is one dense size and one mixture in a model; a second one would have its own.
    private GatedScratch RoomFor(GatedFeedForward network) => _gated is { } room && room.Hidden == network.Gate.Outputs
        ? room
        : _gated = Own(new GatedScratch(Queue, Model.MaxRows, network.Gate.Outputs));

    private MixtureScratch RoomFor(MixtureOfExperts mixture) =>
        _mixture ??= Own(new MixtureScratch(
            Queue, Model.MaxRows, Model.Embedding, mixture, RoomForShared(mixture), _experts is null ? default : _experts.ExpertOfSlot));

    private SplitScratch RoomForPartOf(MixtureOfExperts mixture) =>
        _split ??= Own(new SplitScratch(Queue, Model.MaxRows, Model.Embedding, RoomForShared(mixture)));

    private SharedScratch RoomForShared(MixtureOfExperts mixture) =>
        _shared ??= Own(new SharedScratch(Queue, Model.MaxRows, Model.Embedding, mixture.LayerWeights));

    /// <summary>Room for the hidden state of the largest batch on its way, so that it need not wait for itself.</summary>
    private static int StagingBytes(DeviceModel model) => (int)Math.Clamp(
        sizeof(float) * (long)model.MaxRows * model.Embedding, GpuQueue.LeastStagingBytes, MostStagingBytes);
}
