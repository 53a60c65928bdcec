using Pure.Engine.Models;

namespace Pure.Serve;

/// <summary>A limited memory in words: what it is used for, and how that went.</summary>
internal static class MemoryFigures
{
    /// <summary>What stays, what is read when needed, and what reading to expect.</summary>
    internal static string Plan(MemoryPlan plan) => plan.IsStreamed
        ? $"{Figures.Bytes(plan.Limit)} limit: {Figures.Bytes(plan.NeededBytes)} for weights that every token needs, "
          + $"{Figures.Bytes(plan.WorkingBytes)} to work with, {Figures.Bytes(plan.Slots * plan.SlotBytes)} for {Figures.Count(plan.Slots)} of "
          + $"{Figures.Count(plan.Experts)} experts; the others are read when needed: of the {Figures.Count(plan.ExpertsPerToken)} of a token about "
          + $"{Figures.Decimal(plan.ReadsPerToken, 0)} or fewer ({Figures.Bytes((long)(plan.ReadsPerToken * plan.ExpertBytes / plan.Experts))})"
        : $"{Figures.Bytes(plan.Limit)} limit: everything fits ({Figures.Bytes(plan.NeededBytes + plan.WorkingBytes + plan.ExpertBytes)})";

    /// <summary>How often experts were found in memory, and what had to be read.</summary>
    internal static string Reads(ExpertReads reads) => Reads(reads, "in memory", "read");

    /// <summary>How often experts were found on devices, and what had to be copied there; null where devices have no cache of them.</summary>
    internal static string? DeviceReads(Model model) =>
        model.DevicePlan.Shares.Any(share => share.ExpertCacheBytes > 0) ? Reads(model.DeviceExpertReads, "on the device", "copied") : null;

    private static string Reads(ExpertReads reads, string where, string brought) =>
        $"{Percent(reads.HitRate)} of {Figures.Count(reads.Asked)} found {where}, {Figures.Bytes(reads.Bytes)} {brought}"
        + (reads.Guessed == 0 ? "" : $"; {Figures.Count(reads.Guessed)} guessed ahead, {Percent(reads.GuessRate)} rightly");

    private static string Percent(double share) => double.IsNaN(share) ? "none" : $"{Figures.Decimal(100 * share, 1)} %";
}
