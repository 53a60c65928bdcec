namespace Pure.Engine.Devices;

/// <summary>What of a model runs on a device beside the processor. Another device is another function (named, and repeatable).</summary>
public sealed record DeviceOptions
{
    /// <summary>The name that leaves the choice: all devices there are, or the processor.</summary>
    internal const string Auto = "auto";

    /// <summary>
    /// cpu; cuda:0 and so on, or several of them with commas between, in the order in which layers go to them; auto for all CUDA devices there
    /// are, and the processor where there is none or one fails; emulated, or emulated:0 and so on, for a GPU that threads of the processor play,
    /// very slowly, to prove kernels.
    /// </summary>
    public string Name { get; init; } = "cpu";

    /// <summary>How many layers, the last ones, may be on devices, and the head with the last; null for as many as fit.</summary>
    public int? Layers { get; init; }

    /// <summary>Positions of a sequence that room is kept for on devices, at most the model's context; null for that.</summary>
    public int? Context { get; init; }

    /// <summary>How many sequences of so many positions room is kept for.</summary>
    public int Sequences { get; init; } = 1;

    /// <summary>How many layers, the first ones, keep their routed experts in memory.</summary>
    public int MixturesInMemory { get; init; }

    /// <summary>
    /// What stays in memory, by the names blk.N.attn_output, blk.N.ffn_down, blk.N.ffn_down_exps (a mixture's routed experts), blk.N.ffn_down_shexp
    /// (its shared experts, and so all of it) and output, where * stands for anything and ? for one character.
    /// </summary>
    public IReadOnlyList<string> InMemory { get; init; } = [];

    /// <summary>
    /// Bytes of each device's memory for routed experts of mixtures that stay in memory: the device computes such mixtures too, keeps the experts
    /// that were used last, and copies those that it lacks. Null for none: the processor computes routed experts where they are.
    /// </summary>
    public long? ExpertCacheBytes { get; init; }

    /// <summary>The assembly that brings devices; null for where it is looked for.</summary>
    public string? Plugin { get; init; }

    /// <summary>What a test has in a plugin's place; null for what is loaded.</summary>
    internal IDevicePlugin? Given { get; init; }
}
