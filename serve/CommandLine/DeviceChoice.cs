using System.CommandLine;
using Pure.Engine.Devices;
using Pure.Engine.Models;

namespace Pure.Serve.CommandLine;

/// <summary>The options that say what runs on a device beside the processor, by llama.cpp's names where it has them.</summary>
internal sealed class DeviceChoice
{
    private readonly Option<string[]?> _device = new("--device")
    {
        HelpName = "NAME[,NAME]",
        Arity = ArgumentArity.OneOrMore,
        Description = "What to compute with: cpu; cuda:0 and so on (see pure devices), of which several share the layers in the order of their "
            + "names; auto for all CUDA devices, or the processor where there is none; emulated, or emulated:0 and so on, for a GPU that threads play, "
            + "very slowly. A device rounds in its own way; repeatable. Default: cpu.",
    };

    private readonly Option<int?> _layers = ValueOptions.OptionalNumber<int>(
        "--gpu-layers", ["-ngl"], "N", "Put the last N layers and the head on devices. Default: all that fit.", "from 0 up", layers => layers >= 0);

    private readonly Option<int?> _mixtures = ValueOptions.OptionalNumber<int>(
        "--n-cpu-moe", ["-ncmoe"], "N", "Keep the routed experts of the first N layers in memory. Default: 0.", "from 0 up", layers => layers >= 0);

    private readonly Option<string[]?> _inMemory = new("--in-memory")
    {
        HelpName = "PATTERN",
        Arity = ArgumentArity.OneOrMore,
        Description = "Keep parts in memory by name: blk.N.attn_output, blk.N.ffn_down, blk.N.ffn_down_exps (routed experts), blk.N.ffn_down_shexp "
            + "(shared experts, and with them the mixture) or output, with * and ?; repeatable.",
    };

    private readonly Option<long?> _experts = ValueOptions.Size(
        "--gpu-expert-cache",
        "Memory of each device, such as 8G, for routed experts that have no room there or are kept in memory: the device computes them too, "
        + "keeps those that were used last, and is brought those that it lacks. Default: none; the processor computes them where they are.");

    internal DeviceChoice() => Group = new OptionGroup("Device", [_device, _layers, _mixtures, _inMemory, _experts]);

    /// <summary>The options, for help and parsing.</summary>
    internal OptionGroup Group { get; }

    /// <summary>What the command line says.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="context">Positions of a text, where the command knows.</param>
    /// <param name="texts">How many texts there are at once.</param>
    /// <exception cref="UsageException">Something is to go to a device, and none is named.</exception>
    internal DeviceOptions Read(ParseResult parsed, int? context, int texts)
    {
        string name = parsed.GetValue(_device) is { Length: > 0 } names ? string.Join(',', names) : "cpu";
        foreach (Option option in (Option[])[_layers, _mixtures, _inMemory, _experts])
        {
            if (name == "cpu" && parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} says what goes to a device, and none is named; add --device cuda:0 or --device auto.");
        }

        return new DeviceOptions
        {
            Name = name,
            Layers = parsed.GetValue(_layers),
            Context = context,
            Sequences = texts,
            MixturesInMemory = parsed.GetValue(_mixtures) ?? 0,
            InMemory = parsed.GetValue(_inMemory) ?? [],
            ExpertCacheBytes = parsed.GetValue(_experts),
        };
    }

    /// <summary>Says what was placed where, a line for each device, if one was asked for.</summary>
    internal static void Say(Model model, CommandStreams streams)
    {
        foreach (string line in Placed(model)?.Lines ?? [])
            streams.Error.WriteLine($"device      {line}");
    }

    /// <summary>What was placed where; null if no device was asked for.</summary>
    internal static DevicePlan? Placed(Model model) => model.Options.Device.Name == "cpu" ? null : model.DevicePlan;
}
