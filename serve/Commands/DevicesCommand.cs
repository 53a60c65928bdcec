using System.CommandLine;
using Pure.Engine.Devices;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Commands;

/// <summary><c>pure devices</c>: what a model can be run on.</summary>
internal sealed class DevicesCommand : PureCommand
{
    internal DevicesCommand()
        : base("devices", "Show the devices that models can be run on.")
    {
    }

    internal override IReadOnlyList<Example> Examples => [new("pure devices", "names for --device, and the memory of each")];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        var table = new TextTable("name", ">memory", ">free", "what it is");
        table.Add("cpu", "", "", "the processor, the default");
        string? why = null;
        try
        {
            foreach (DeviceInfo device in DevicePlugin.List())
                table.Add(device.Name, Figures.Bytes(device.TotalBytes), Figures.Bytes(device.FreeBytes), device.Description);
        }
        catch (DeviceException missing)
        {
            why = missing.Message;
        }

        streams.Output.Write(table.ToString());
        if (why is not null)
            streams.Error.WriteLine($"pure: {why}");
        return ExitCode.Success;
    }
}
