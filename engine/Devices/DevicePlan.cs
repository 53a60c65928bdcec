using System.IO.Enumeration;
using Pure.Engine.Layers;
using Pure.Engine.Models;

namespace Pure.Engine.Devices;

/// <summary>Which parts of a model run on a device, and why the others do not.</summary>
/// <param name="Device">The device that is used; cpu where none is.</param>
/// <param name="Attentions">Attentions on it.</param>
/// <param name="FeedForwards">Feed-forward networks and mixtures on it.</param>
/// <param name="Layers">Layers of the model.</param>
/// <param name="HasHead">Whether the output head is on it.</param>
/// <param name="WeightBytes">Bytes of its memory that weights take.</param>
/// <param name="Reasons">Why parts stay in memory; empty where all are on the device.</param>
public sealed record DevicePlan(
    string Device, int Attentions, int FeedForwards, int Layers, bool HasHead, long WeightBytes, IReadOnlyList<string> Reasons)
{
    /// <summary>One line, as a command prints it.</summary>
    public override string ToString()
    {
        if (Attentions + FeedForwards == 0 && !HasHead)
            return $"{Device}: nothing runs on another device" + (Reasons.Count == 0 ? "" : $"; in memory: {string.Join("; ", Reasons)}");
        string head = HasHead ? "and the head " : "";
        string line = $"{Device}: attention of {Attentions} and feed-forward of {FeedForwards} of {Layers} layers {head}({WeightBytes / 1e6:0} MB)";
        return Reasons.Count == 0 ? line : $"{line}; in memory: {string.Join("; ", Reasons)}";
    }

    /// <summary>Places a model's branches, in their order, and its head.</summary>
    /// <exception cref="DeviceException">The device fails.</exception>
    internal static (IDeviceBranch[] Branches, IDeviceHead Head, DevicePlan Plan) Place(
        Branch[] branches, OutputHead head, DeviceOptions options, Processor processor, IDevice? device)
    {
        if (device is null)
        {
            return (
                Array.ConvertAll(branches, processor.Place), processor.Place(head),
                new DevicePlan(processor.Name, 0, 0, branches.Length / 2, false, 0, []));
        }

        int layers = branches.Length / 2;
        var kept = new SortedDictionary<string, int>(StringComparer.Ordinal);
        long room = device.FreeBytes;
        long taken = 0;
        var isPlaced = new bool[branches.Length];

        // What a byte of the device's memory is worth most for comes first: what every token reads, before what few tokens read of.
        int[] order = [.. Enumerable.Range(0, branches.Length).OrderBy(index => branches[index].IsMixture).ThenByDescending(index => index)];
        bool hasHead = false;
        if (options.Layers is not 0 && !Stays(options, "output") && device.BytesOf(head) is { } headBytes && Fits(headBytes))
            hasHead = true;
        foreach (int index in order)
        {
            Branch branch = branches[index];
            string? reason = Reason(branch);
            if (reason is null)
                isPlaced[index] = true;
            else
                kept[reason] = kept.GetValueOrDefault(reason) + 1;
        }

        var placed = new IDeviceBranch[branches.Length];
        for (int index = 0; index < branches.Length; index++)
            placed[index] = isPlaced[index] ? device.Place(branches[index]) : processor.Place(branches[index]);
        var plan = new DevicePlan(
            device.Name,
            branches.Index().Count(branch => isPlaced[branch.Index] && branch.Item.IsAttention),
            branches.Index().Count(branch => isPlaced[branch.Index] && !branch.Item.IsAttention),
            layers,
            hasHead,
            taken,
            [.. kept.Select(reason => $"{reason.Value} {reason.Key}")]);
        return (placed, hasHead ? device.Place(head) : processor.Place(head), plan);

        bool Fits(long bytes)
        {
            if (bytes > room)
                return false;
            room -= bytes;
            taken += bytes;
            return true;
        }

        string? Reason(Branch branch)
        {
            string part = branch.IsAttention ? "attention" : branch.IsMixture ? "mixture" : "feed-forward";
            if (branch.Layer < layers - (options.Layers ?? layers))
                return $"{part} before the last {options.Layers} layers";
            if (branch.IsMixture && branch.Layer < options.MixturesInMemory)
                return $"{part} among the first {options.MixturesInMemory} layers";
            if (Stays(options, Name(branch)))
                return $"{part} by its name";
            if (device.Refusal(branch) is { } refusal)
                return $"{part} because {refusal}";
            return Fits(device.BytesOf(branch)) ? null : $"{part} for want of room";
        }
    }

    private static string Name(Branch branch) =>
        $"blk.{branch.Layer}." + (branch.IsAttention ? "attn_output" : branch.IsMixture ? "ffn_down_exps" : "ffn_down");

    private static bool Stays(DeviceOptions options, string name) =>
        options.InMemory.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));
}
