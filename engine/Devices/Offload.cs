using System.IO.Enumeration;
using Pure.Engine.Layers;

namespace Pure.Engine.Devices;

/// <summary>
/// Decides which device each part of a model goes to. Layers are cut into runs that follow one another, one for each device, in proportion to
/// the memory that is free there; within its run a device gets what fits.
/// </summary>
internal sealed class Offload
{
    private readonly Branch[] _branches;
    private readonly OutputHead _head;
    private readonly DeviceOptions _options;
    private readonly Run[] _runs;
    private readonly Run?[] _runOf; // of each branch that is on a device
    private readonly Placement[] _placements;
    private readonly int _layers;

    /// <param name="branches">Of each layer its attention, then its feed-forward network.</param>
    /// <param name="head">The output head.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="devices">The devices, in the order in which layers go to them; none for the processor alone.</param>
    /// <exception cref="DeviceException">A device fails.</exception>
    internal Offload(Branch[] branches, OutputHead head, DeviceOptions options, IReadOnlyList<IDevice> devices)
    {
        _branches = branches;
        _head = head;
        _options = options;
        _layers = branches.Length / 2;
        _runs = [.. devices.Select(device => new Run(device))];
        _runOf = new Run?[branches.Length];
        _placements = new Placement[branches.Length];
        if (_runs.Length > 0)
            Fill();
    }

    /// <summary>What goes where.</summary>
    internal DevicePlan Plan => new([.. _runs.Select(Share)], _layers);

    /// <summary>Matrices that no product in memory reads.</summary>
    internal HashSet<Linear> Matrices =>
    [
        .. Enumerable.Range(0, _branches.Length)
            .Where(index => _runOf[index] is not null)
            .SelectMany(index => _branches[index].Matrices(_placements[index])),
        .. _runs.Any(run => run.HasHead) ? (Linear[])[_head.Matrix] : [],
    ];

    /// <summary>Sends the weights.</summary>
    /// <exception cref="DeviceException">A device fails.</exception>
    internal (IDeviceBranch[] Branches, IDeviceHead Head) Place(Processor processor)
    {
        var placed = new IDeviceBranch[_branches.Length];
        for (int index = 0; index < placed.Length; index++)
            placed[index] = (_runOf[index]?.Device ?? processor).Place(_branches[index], _placements[index]);
        return (placed, (_runs.FirstOrDefault(run => run.HasHead)?.Device ?? processor).Place(_head));
    }

    private void Fill()
    {
        Run[] runOfLayer = Cut();
        if (_options.Layers is not 0 && !Stays("output") && _runs[^1].Device.BytesOf(_head) is { } bytes)
            _runs[^1].HasHead = _runs[^1].TryTake(bytes);

        // What a byte of a device's memory is worth most for comes first: what every token reads, before what few tokens read of.
        int[] lastToFirst = [.. Enumerable.Range(0, _branches.Length).Reverse()];
        foreach (int index in lastToFirst.Where(index => !_branches[index].IsMixture))
            TryPlace(runOfLayer[_branches[index].Layer], index);
        int[] mixtures = [.. lastToFirst.Where(index => _branches[index].IsMixture)];
        foreach (int index in mixtures)
            TrySplit(runOfLayer[_branches[index].Layer], index);
        foreach (int index in mixtures)
            TryPlace(runOfLayer[_branches[index].Layer], index);
    }

    /// <summary>The run of each layer: layers that may not be on a device count nothing, and the head is the last run's.</summary>
    private Run[] Cut()
    {
        double[] needs = [.. Enumerable.Range(0, _layers).Select(layer => Need(2 * layer) + Need((2 * layer) + 1))];
        double all = needs.Sum() + (_options.Layers is 0 || Stays("output") ? 0 : Total(_runs[^1].Device.BytesOf(_head)));
        double free = _runs.Sum(run => (double)run.Device.FreeBytes);
        var runs = new Run[_layers];
        double before = 0;
        for (int layer = 0; layer < _layers; before += needs[layer++])
        {
            int run = 0;
            double end = _runs[0].Device.FreeBytes;
            while (run < _runs.Length - 1 && (before + (needs[layer] / 2)) * free > end * all)
                end += _runs[++run].Device.FreeBytes;
            runs[layer] = _runs[run];
        }

        return runs;

        double Need(int index)
        {
            IDevice device = _runs[0].Device;
            return Kept(_branches[index], Placement.Whole) is null && device.Refusal(_branches[index], Placement.Whole) is null
                ? Total(device.BytesOf(_branches[index], Placement.Whole))
                : 0;
        }

        static double Total(DeviceBytes? bytes) => bytes is null ? 0 : bytes.Weights + bytes.Cache;
    }

    private void TrySplit(Run run, int index)
    {
        Branch branch = _branches[index];
        if (Kept(branch, Placement.Split) is null && run.Device.Refusal(branch, Placement.Split) is null
            && run.TryTake(run.Device.BytesOf(branch, Placement.Split)))
        {
            Put(run, index, Placement.Split);
        }
    }

    /// <summary>Places a branch whole, or says why not.</summary>
    private void TryPlace(Run run, int index)
    {
        Branch branch = _branches[index];
        DeviceBytes? split = _runOf[index] is null ? null : run.Device.BytesOf(branch, Placement.Split);
        string part = branch.IsAttention ? "attention" : !branch.IsMixture ? "feed-forward" : split is null ? "mixture" : "mixture's experts";
        string? reason = Kept(branch, Placement.Whole) is { } kept ? $"{part} {kept}"
            : run.Device.Refusal(branch, Placement.Whole) is { } refusal ? $"{part} because {refusal}"
            : run.TryTake(run.Device.BytesOf(branch, Placement.Whole), split) ? null
            : $"{part} for want of room";
        if (reason is null)
            Put(run, index, Placement.Whole);
        else
            run.Keep(reason);
    }

    private void Put(Run run, int index, Placement placement) => (_runOf[index], _placements[index]) = (run, placement);

    /// <summary>Why the options keep a branch in memory; null where they do not.</summary>
    private string? Kept(Branch branch, Placement placement)
    {
        if (branch.Layer < _layers - (_options.Layers ?? _layers))
            return $"before the last {_options.Layers} layers";
        if (branch.IsMixture && placement == Placement.Whole && branch.Layer < _options.MixturesInMemory)
            return $"among the first {_options.MixturesInMemory} layers";
        string name = branch.IsAttention ? "attn_output" : branch.IsMixture ? "ffn_down_exps" : "ffn_down";
        return Stays($"blk.{branch.Layer}.{name}") ? "by its name" : null;
    }

    private bool Stays(string name) =>
        _options.InMemory.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));

    private DeviceShare Share(Run run)
    {
        int[] mine = [.. Enumerable.Range(0, _branches.Length).Where(index => _runOf[index] == run)];
        int attentions = mine.Count(index => _branches[index].IsAttention);
        return new DeviceShare(
            run.Device.Name,
            attentions,
            mine.Length - attentions,
            mine.Count(index => _placements[index] == Placement.Split),
            run.HasHead,
            run.WeightBytes,
            run.CacheBytes,
            run.BufferBytes,
            run.Reasons);
    }

    /// <summary>A device, and what it was given so far.</summary>
    private sealed class Run(IDevice device)
    {
        private readonly HashSet<DeviceBuffers> _buffers = [];
        private readonly SortedDictionary<string, int> _kept = new(StringComparer.Ordinal);
        private long _room = device.FreeBytes;

        internal IDevice Device => device;

        internal bool HasHead { get; set; }

        internal long WeightBytes { get; private set; }

        internal long CacheBytes { get; private set; }

        internal long BufferBytes => _buffers.Sum(buffers => buffers.Bytes);

        internal IReadOnlyList<string> Reasons => [.. _kept.Select(reason => $"{reason.Value} {reason.Key}")];

        /// <summary>Takes room for a part, in place of what it has already, if there is as much.</summary>
        internal bool TryTake(DeviceBytes bytes, DeviceBytes? taken = null)
        {
            long weights = bytes.Weights - (taken?.Weights ?? 0);
            long cache = bytes.Cache - (taken?.Cache ?? 0);
            long all = weights + cache + bytes.Buffers.Where(buffers => !_buffers.Contains(buffers)).Sum(buffers => buffers.Bytes);
            if (all > _room)
                return false;
            _room -= all;
            WeightBytes += weights;
            CacheBytes += cache;
            _buffers.UnionWith(bytes.Buffers);
            return true;
        }

        internal void Keep(string reason) => _kept[reason] = _kept.GetValueOrDefault(reason) + 1;
    }
}
