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
        foreach (Run run in _runs.Where(run => run.ExpertCacheBytes > 0))
        {
            Branch[] cached = [.. _branches.Where((_, index) => _runOf[index] == run && _placements[index] == Placement.Cached)];
            run.Device.MakeExpertCache(cached, run.ExpertCacheBytes);
        }

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
        foreach (Run run in _runs)
        {
            int[] mine = [.. mixtures.Where(index => runOfLayer[_branches[index].Layer] == run)];
            Placement part = TryCache(run, mine) ? Placement.Cached : Placement.Split;
            foreach (int index in mine)
                TryPlacePart(run, index, part);
            foreach (int index in mine)
                TryPlace(run, index);
        }
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

    /// <summary>Takes room for a cache of experts, where one was asked for and mixtures of the run do not all fit whole.</summary>
    /// <exception cref="DeviceException">What was asked for is too little.</exception>
    private bool TryCache(Run run, int[] mixtures)
    {
        Branch[] cached = [.. mixtures.Select(index => _branches[index]).Where(branch => CanBe(run.Device, branch, Placement.Cached)).Reverse()];
        if (_options.ExpertCacheBytes is not { } asked || cached.Length == 0)
            return false;
        DeviceBytes[] whole = [.. cached.Select(branch => run.Device.BytesOf(branch, Placement.Whole))];
        if (cached.All(branch => CanBe(run.Device, branch, Placement.Whole)) && run.RoomBeside(whole) >= 0)
            return false;
        long least = run.Device.LeastExpertCacheBytes(cached);
        if (asked < least)
        {
            throw new DeviceException(
                $"{run.Device.Name}: a cache of {asked / 1e6:0.###} MB for experts has no room for those that a token uses in a layer; "
                + $"give it {Math.Ceiling(least / 1e3) / 1e3:0.###} MB or more (--gpu-expert-cache), or none.");
        }

        DeviceBytes[] parts = [.. cached.Select(branch => run.Device.BytesOf(branch, Placement.Cached))];
        long experts = whole.Sum(mixture => mixture.Weights) - parts.Sum(part => part.Weights);
        return run.TryTakeExpertCache(Math.Min(Math.Min(asked, experts), run.RoomBeside(parts)), least);
    }

    /// <summary>Places what every token needs of a mixture; its routed experts may follow.</summary>
    private void TryPlacePart(Run run, int index, Placement part)
    {
        Branch branch = _branches[index];

        // Where attention is in memory so is the hidden state, which a split mixture would take away and give back.
        bool isWorthIt = part == Placement.Cached || _runOf[2 * branch.Layer] == run;
        if (isWorthIt && CanBe(run.Device, branch, part) && run.TryTake(run.Device.BytesOf(branch, part)))
            Put(run, index, part);
    }

    private bool CanBe(IDevice device, Branch branch, Placement placement) =>
        Kept(branch, placement) is null && device.Refusal(branch, placement) is null;

    /// <summary>Places a branch whole, or says why not.</summary>
    private void TryPlace(Run run, int index)
    {
        Branch branch = _branches[index];
        DeviceBytes? taken = _runOf[index] is null ? null : run.Device.BytesOf(branch, _placements[index]);
        string part = branch.IsAttention ? "attention" : !branch.IsMixture ? "feed-forward" : taken is null ? "mixture" : "mixture's experts";
        string? reason = Kept(branch, Placement.Whole) is { } kept ? $"{part} {kept}"
            : run.Device.Refusal(branch, Placement.Whole) is { } refusal ? $"{part} because {refusal}"
            : run.TryTake(run.Device.BytesOf(branch, Placement.Whole), taken) ? null
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

        // Shared experts go with the rest of a mixture, routed ones only where it is whole.
        string[] names = branch.IsAttention ? ["attn_output"]
            : !branch.IsMixture ? ["ffn_down"]
            : placement == Placement.Whole ? ["ffn_down_shexp", "ffn_down_exps"]
            : ["ffn_down_shexp"];
        return names.Any(name => Stays($"blk.{branch.Layer}.{name}")) ? "by its name" : null;
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
            mine.Count(index => _placements[index] == Placement.Cached),
            run.HasHead,
            run.WeightBytes,
            run.CacheBytes,
            run.BufferBytes,
            run.ExpertCacheBytes,
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

        internal long ExpertCacheBytes { get; private set; }

        internal long BufferBytes => _buffers.Sum(buffers => buffers.Bytes);

        internal IReadOnlyList<string> Reasons => [.. _kept.Select(reason => $"{reason.Value} {reason.Key}")];

        /// <summary>Takes room for a part, in place of what it has already, if there is as much.</summary>
        internal bool TryTake(DeviceBytes bytes, DeviceBytes? taken = null)
        {
            long weights = bytes.Weights - (taken?.Weights ?? 0);
            long cache = bytes.Cache - (taken?.Cache ?? 0);
            long all = weights + cache + Missing(bytes.Buffers).Sum(buffers => buffers.Bytes);
            if (all > _room)
                return false;
            _room -= all;
            WeightBytes += weights;
            CacheBytes += cache;
            _buffers.UnionWith(bytes.Buffers);
            return true;
        }

        /// <summary>What would be left beside parts; less than nothing where they do not all fit.</summary>
        internal long RoomBeside(IReadOnlyList<DeviceBytes> parts) => _room
            - parts.Sum(part => part.Weights + part.Cache)
            - Missing(parts.SelectMany(part => part.Buffers)).Distinct().Sum(buffers => buffers.Bytes);

        /// <summary>Takes room for a cache of experts, if that is as much as one needs.</summary>
        internal bool TryTakeExpertCache(long bytes, long least)
        {
            if (bytes < least)
                return false;
            _room -= bytes;
            ExpertCacheBytes = bytes;
            return true;
        }

        internal void Keep(string reason) => _kept[reason] = _kept.GetValueOrDefault(reason) + 1;

        private IEnumerable<DeviceBuffers> Missing(IEnumerable<DeviceBuffers> buffers) => buffers.Where(named => !_buffers.Contains(named));
    }
}
