namespace Pure.Engine.Devices;

/// <summary>Which parts of a model run on devices beside the processor, and why the others do not.</summary>
/// <param name="Shares">Each device's part, in the order of the layers; none where all runs on the processor.</param>
/// <param name="Layers">Layers of the model.</param>
public sealed record DevicePlan(IReadOnlyList<DeviceShare> Shares, int Layers)
{
    /// <summary>The devices that are used, with commas between them; cpu where none is.</summary>
    public string Device => Shares.Count == 0 ? "cpu" : string.Join(',', Shares.Select(share => share.Device));

    /// <summary>Attentions on devices.</summary>
    public int Attentions => Shares.Sum(share => share.Attentions);

    /// <summary>Feed-forward networks and mixtures on devices, those without their routed experts included.</summary>
    public int FeedForwards => Shares.Sum(share => share.FeedForwards);

    /// <summary>Whether the output head is on a device.</summary>
    public bool HasHead => Shares.Any(share => share.HasHead);

    /// <summary>Bytes of the devices' memory that weights take.</summary>
    public long WeightBytes => Shares.Sum(share => share.WeightBytes);

    /// <summary>Bytes of the devices' memory that a cache takes, of as many positions as was planned for.</summary>
    public long CacheBytes => Shares.Sum(share => share.CacheBytes);

    /// <summary>Bytes of the devices' memory that intermediates take.</summary>
    public long BufferBytes => Shares.Sum(share => share.BufferBytes);

    /// <summary>Bytes of the devices' memory for experts that are copied there.</summary>
    public long ExpertCacheBytes => Shares.Sum(share => share.ExpertCacheBytes);

    /// <summary>A line for each device, as a command prints it.</summary>
    public IReadOnlyList<string> Lines => Shares.Count == 0
        ? [$"{Device}: nothing runs on another device"]
        : [.. Shares.Select(share => share.Line(Layers))];

    /// <summary>The lines, with semicolons between them.</summary>
    public override string ToString() => string.Join("; ", Lines);
}

/// <summary>Which parts of a model run on one device, and why others do not that might.</summary>
/// <param name="Device">Its name.</param>
/// <param name="Attentions">Attentions on it.</param>
/// <param name="FeedForwards">Feed-forward networks and mixtures on it.</param>
/// <param name="SplitMixtures">How many of these are mixtures whose routed experts the processor computes in memory.</param>
/// <param name="CachedMixtures">How many of these are mixtures whose routed experts are in memory and copied to it when they are needed.</param>
/// <param name="HasHead">Whether the output head is on it.</param>
/// <param name="WeightBytes">Bytes of its memory that weights take.</param>
/// <param name="CacheBytes">Bytes of its memory that a cache takes, of as many positions as was planned for.</param>
/// <param name="BufferBytes">Bytes of its memory that intermediates take.</param>
/// <param name="ExpertCacheBytes">Bytes of its memory for experts that are copied to it.</param>
/// <param name="Reasons">Why parts of its layers stay in memory; empty where all are on it.</param>
public sealed record DeviceShare(
    string Device,
    int Attentions,
    int FeedForwards,
    int SplitMixtures,
    int CachedMixtures,
    bool HasHead,
    long WeightBytes,
    long CacheBytes,
    long BufferBytes,
    long ExpertCacheBytes,
    IReadOnlyList<string> Reasons)
{
    /// <summary>One line, as a command prints it.</summary>
    /// <param name="layers">Layers of the model.</param>
    internal string Line(int layers)
    {
        string inMemory = Reasons.Count == 0 ? "" : $"; in memory: {string.Join("; ", Reasons)}";
        if (Attentions + FeedForwards == 0 && !HasHead)
            return $"{Device}: nothing runs there{inMemory}";
        string split = SplitMixtures == 0 ? "" : $" ({SplitMixtures} without routed experts)";
        string experts = CachedMixtures == 0 ? "" : $", {Megabytes(ExpertCacheBytes)} for experts of {CachedMixtures} layers as they are needed";
        string head = HasHead ? " and the head" : "";
        return $"{Device}: attention of {Attentions} and feed-forward of {FeedForwards}{split} of {layers} layers{head}, "
            + $"{Megabytes(WeightBytes)} of weights, {Megabytes(CacheBytes)} of cache, {Megabytes(BufferBytes)} of buffers{experts}{inMemory}";
    }

    private static string Megabytes(long bytes) => $"{bytes / 1e6:0} MB";
}
