using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Engine.Models;

namespace Pure.Engine.Devices;

/// <summary>
/// Where parts of a model run: the processor, or what a plugin brings. A model is one list of residual branches and a head, each placed on a
/// device; the hidden state of a pass goes from device to device as the list has it, and one device keeps it from branch to branch.
/// </summary>
/// <remarks>
/// The processor's results are the definition. Another device computes the same function with other roundings; what it computes repeats.
/// </remarks>
internal interface IDevice : IDisposable
{
    /// <summary>Its name on the command line, such as cuda:0.</summary>
    string Name { get; }

    /// <summary>Bytes of its memory that parts of a model may take: what is free but for what the driver needs.</summary>
    long FreeBytes { get; }

    /// <summary>Why it cannot run a branch so, as the end of a sentence; null where it can.</summary>
    string? Refusal(Branch branch, Placement placement);

    /// <summary>What a branch that is not refused takes of its memory.</summary>
    DeviceBytes BytesOf(Branch branch, Placement placement);

    /// <summary>What a head takes of its memory, or null where it cannot run it.</summary>
    DeviceBytes? BytesOf(OutputHead head);

    /// <summary>Bytes of its memory that a cache of routed experts must have for some mixtures; 0 where it refuses to cache any.</summary>
    long LeastExpertCacheBytes(IReadOnlyList<Branch> mixtures) => 0;

    /// <summary>Makes a cache of routed experts for all mixtures that are placed as <see cref="Placement.Cached"/> afterwards.</summary>
    /// <param name="mixtures">In the order of their layers.</param>
    /// <param name="bytes">At least <see cref="LeastExpertCacheBytes"/>.</param>
    /// <exception cref="DeviceException">There is no room, or the device fails.</exception>
    void MakeExpertCache(IReadOnlyList<Branch> mixtures, long bytes) => throw new InvalidOperationException($"{Name} caches no experts.");

    /// <summary>How often cached experts were found on the device so far.</summary>
    ExpertReads ExpertReads => default;

    /// <summary>Takes a branch's weights.</summary>
    /// <exception cref="DeviceException">There is no room, or the device fails.</exception>
    IDeviceBranch Place(Branch branch, Placement placement);

    /// <summary>Takes the head's weights.</summary>
    /// <exception cref="DeviceException">There is no room, or the device fails.</exception>
    IDeviceHead Place(OutputHead head);

    /// <summary>Room for the keys and values of some layers; null where it uses those in memory.</summary>
    /// <exception cref="DeviceException">There is no room, or the device fails.</exception>
    IDeviceCache? CreateCache(CacheShape shape, int blocks, IReadOnlyList<int> layers);

    /// <summary>Begins a pass: the rotary embeddings are prepared, blocks reserved.</summary>
    void Begin(Batch batch);

    /// <summary>Takes the hidden state <c>[rows, embedding]</c> from memory.</summary>
    void Take(in Activations x);

    /// <summary>Gives the hidden state back to memory.</summary>
    void Give(in Activations x);
}

/// <summary>A branch on a device.</summary>
internal interface IDeviceBranch
{
    /// <summary>Where it runs.</summary>
    IDevice Device { get; }

    /// <summary>Adds the branch to the hidden state: <paramref name="x"/> where that is in memory, or the device's own.</summary>
    void Forward(Step step, in Activations x);
}

/// <summary>The head on a device.</summary>
internal interface IDeviceHead
{
    /// <summary>Where it runs.</summary>
    IDevice Device { get; }

    /// <summary>Logits of the rows that want them, in order, into memory; <paramref name="x"/> as for branches.</summary>
    /// <param name="step">The batch.</param>
    /// <param name="x">Hidden state <c>[rows, embedding]</c>.</param>
    /// <param name="logits"><c>[wanted rows, vocabulary]</c>.</param>
    void Forward(Step step, in Activations x, in Activations logits);
}

/// <summary>Layers whose attention is on a device.</summary>
/// <param name="Device">The device.</param>
/// <param name="Layers">Their numbers.</param>
internal sealed record DeviceLayers(IDevice Device, IReadOnlyList<int> Layers);

/// <summary>Keys and values that lie on a device, in the blocks of a <see cref="KvCache"/>.</summary>
internal interface IDeviceCache : IDisposable
{
    /// <summary>Where they lie.</summary>
    IDevice Device { get; }

    /// <summary>Copies the first <paramref name="positions"/> positions of a block, in every layer that lies here.</summary>
    void Copy(int from, int to, int positions);
}
