using System.Diagnostics.CodeAnalysis;
using Pure.Engine.Devices;
using Pure.Engine.Kernels;
using Pure.Engine.Layers;
using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>Where the parts of the model run.</summary>
public sealed partial class Model
{
    private readonly Processor _processor;
    private IReadOnlyList<IDevice> _devices = [];
    private HashSet<Linear> _elsewhere = []; // matrices that only devices multiply with
    private IDeviceBranch[] _branches; // of each layer its attention, then its feed-forward network
    private IDeviceHead _head;
    private IDevice _at; // where the hidden state of the last pass's _rows is
    private int _rows;

    /// <summary>Which parts run on devices.</summary>
    public DevicePlan DevicePlan { get; private set; }

    /// <summary>How often routed experts were found on devices so far, where these have a cache of them; bytes are those copied there.</summary>
    public ExpertReads DeviceExpertReads => _devices.Aggregate(default(ExpertReads), (sum, device) => sum + device.ExpertReads);

    /// <summary>Whether parts run on devices now.</summary>
    internal bool UsesDevices => _devices.Count > 0;

    /// <summary>
    /// Goes on without devices where one failed and the options leave the choice; what they held of sequences is lost. The caller holds the gate.
    /// </summary>
    internal bool TryLeaveDevice(DeviceException failed)
    {
        if (!UsesDevices || Options.Device.Name != DeviceOptions.Auto)
            return false;
        LeaveDevices(failed);
        return true;
    }

    [MemberNotNull(nameof(_branches), nameof(_head), nameof(DevicePlan))]
    private void LeaveDevices(DeviceException failed)
    {
        Place([]);
        Options.Warn?.Invoke($"{failed.Message} From here on all runs on the processor, and what was read is read again.");
    }

    /// <summary>Places the model, on the processor alone where devices fail at it and the options leave the choice.</summary>
    [MemberNotNull(nameof(_branches), nameof(_head), nameof(DevicePlan))]
    private void PlaceOn(IReadOnlyList<IDevice> devices)
    {
        try
        {
            Place(devices);
        }
        catch (DeviceException failed) when (Options.Device.Name == DeviceOptions.Auto)
        {
            LeaveDevices(failed);
        }
    }

    [MemberNotNull(nameof(_branches), nameof(_head), nameof(DevicePlan))]
    private void Place(IReadOnlyList<IDevice> devices)
    {
        var head = new OutputHead(_transformer.OutputNorm, _transformer.Head, _transformer.LogitDivisor);
        var offload = new Offload(_transformer.Branches(), head, Options.Device, devices);
        (_branches, _head) = offload.Place(_processor);
        DevicePlan = offload.Plan;
        _devices = devices;
        _elsewhere = offload.Matrices;
        if (_transformer.NextToken is { } next)
            _elsewhere.Remove(next.Head);
    }

    private DeviceModel DescribeForDevices() => new(
        Options.MaxBatchRows,
        Info.EmbeddingLength,
        Info.VocabularySize,
        Options.Device.Sequences * KvCache.BlocksOf(Math.Min(Options.Device.Context ?? Info.ContextLength, Info.ContextLength)),
        CacheShape,
        _transformer.Ropes,
        Options.CacheType,
        Options.ValueCacheType ?? Options.CacheType);

    /// <summary>Layers whose attention, and so whose keys and values, are on a device, of each device.</summary>
    private DeviceLayers[] LayersOnDevices() =>
    [
        .. Enumerable.Range(0, _transformer.Blocks.Length)
            .GroupBy(layer => _branches[2 * layer].Device)
            .Where(device => device.Key != _processor)
            .Select(device => new DeviceLayers(device.Key, [.. device])),
    ];

    private void Run(IDeviceBranch branch, Step step, in Activations x)
    {
        MoveTo(branch.Device, x);
        branch.Forward(step, x);
    }

    /// <summary>Brings the hidden state to a device.</summary>
    private void MoveTo(IDevice device, in Activations x)
    {
        if (device == _at)
            return;
        _at.Give(x);
        device.Take(x);
        _at = device;
    }
}
