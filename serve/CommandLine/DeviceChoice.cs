using System.CommandLine;
using Pure.Engine.Devices;
using Pure.Engine.Models;

namespace Pure.Serve.CommandLine;

/// <summary>The options that say what runs on a device beside the processor, by llama.cpp's names where it has them.</summary>
internal sealed class DeviceChoice
{
    private readonly Option<string?> _device = ValueOptions.Text(
        "--device", [], "NAME",
        "What to compute with: cpu; cuda:0 and so on (see pure devices); auto for the first device, or the processor where there is none; emulated for a "
        + "GPU that threads play, very slowly. A device rounds in its own way. Default: cpu.");

    private readonly Option<int?> _layers = ValueOptions.OptionalNumber<int>(
        "--gpu-layers", ["-ngl"], "N", "Put the last N layers and the head on the device. Default: all that fit.", "from 0 up", layers => layers >= 0);

    private readonly Option<int?> _mixtures = ValueOptions.OptionalNumber<int>(
        "--n-cpu-moe", ["-ncmoe"], "N", "Keep the mixtures of experts of the first N layers in memory. Default: 0.", "from 0 up", layers => layers >= 0);

    private readonly Option<string[]?> _inMemory = new("--in-memory")
    {
        HelpName = "PATTERN",
        Description = "Keep parts in memory by name: blk.N.attn_output, blk.N.ffn_down, blk.N.ffn_down_exps (a mixture) or output, with * and ?; repeatable.",
    };

    internal DeviceChoice() => Group = new OptionGroup("Device", [_device, _layers, _mixtures, _inMemory]);

    /// <summary>The options, for help and parsing.</summary>
    internal OptionGroup Group { get; }

    /// <summary>What the command line says.</summary>
    /// <exception cref="UsageException">Something is to go to a device, and none is named.</exception>
    internal DeviceOptions Read(ParseResult parsed)
    {
        string name = parsed.GetValue(_device) ?? "cpu";
        foreach (Option option in (Option[])[_layers, _mixtures, _inMemory])
        {
            if (name == "cpu" && parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} says what goes to a device, and none is named; add --device cuda:0 or --device auto.");
        }

        return new DeviceOptions
        {
            Name = name,
            Layers = parsed.GetValue(_layers),
            MixturesInMemory = parsed.GetValue(_mixtures) ?? 0,
            InMemory = parsed.GetValue(_inMemory) ?? [],
        };
    }

    /// <summary>Says what was placed where, if a device was asked for.</summary>
    internal static void Say(Model model, CommandStreams streams)
    {
        if (Placed(model) is { } placed)
            streams.Error.WriteLine($"device      {placed}");
    }

    /// <summary>What was placed where; null if no device was asked for.</summary>
    internal static string? Placed(Model model) => model.Options.Device.Name == "cpu" ? null : $"{model.DevicePlan}";
}
