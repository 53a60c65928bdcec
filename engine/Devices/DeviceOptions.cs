namespace Pure.Engine.Devices;

/// <summary>What of a model runs on a device beside the processor. Another device is another function (named, and repeatable).</summary>
public sealed record DeviceOptions
{
    /// <summary>The name that leaves the choice: the first device there is, or the processor.</summary>
    internal const string Auto = "auto";

    /// <summary>
    /// cpu; cuda:0 and so on; auto for the first device there is, and the processor where there is none or it fails; emulated for a GPU that
    /// threads of the processor play, very slowly, to prove kernels.
    /// </summary>
    public string Name { get; init; } = "cpu";

    /// <summary>How many layers, the last ones, may be on the device, and the head with the last; null for as many as fit.</summary>
    public int? Layers { get; init; }

    /// <summary>How many layers, the first ones, keep their mixtures of experts in memory.</summary>
    public int MixturesInMemory { get; init; }

    /// <summary>
    /// What stays in memory, by the names blk.N.attn_output, blk.N.ffn_down, blk.N.ffn_down_exps (a mixture, with its shared experts) and output,
    /// where * stands for anything and ? for one character.
    /// </summary>
    public IReadOnlyList<string> InMemory { get; init; } = [];

    /// <summary>The assembly that brings devices; null for where it is looked for.</summary>
    public string? Plugin { get; init; }

    /// <summary>What a test has in a plugin's place; null for what is loaded.</summary>
    internal IDevicePlugin? Given { get; init; }
}
