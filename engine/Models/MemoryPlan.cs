using Pure.Engine.Layers;
using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>What a limited memory is used for. Sizes in bytes.</summary>
/// <param name="Limit">What the process is to get by with.</param>
/// <param name="NeededBytes">Weights that every token needs: they stay in memory.</param>
/// <param name="WorkingBytes">Everything else but experts: activations, a cache of up to 4,096 positions, vocabulary, the runtime itself.</param>
/// <param name="Experts">Routed experts of all layers.</param>
/// <param name="ExpertBytes">Their weights in the file.</param>
/// <param name="ExpertsPerToken">Experts that one token uses, in all layers together.</param>
/// <param name="Slots">Places for experts; as many as there are experts where all fit.</param>
/// <param name="SlotBytes">Bytes of a place.</param>
public sealed record MemoryPlan(
    long Limit, long NeededBytes, long WorkingBytes, int Experts, long ExpertBytes, int ExpertsPerToken, int Slots, long SlotBytes)
{
    private const int CachedPositions = 4096;

    // What a process of this runtime takes before it opens a model, with the pages of the file that pass through the system's cache.
    private const long RuntimeBytes = 96 << 20;

    /// <summary>Whether experts are read from the file when needed, because not all fit.</summary>
    public bool IsStreamed => Slots < Experts;

    /// <summary>Experts that would be read for each token if tokens chose them evenly. Trained models do not, and read fewer.</summary>
    public double ReadsPerToken => ExpertsPerToken * (1 - ((double)Slots / Math.Max(1, Experts)));

    /// <exception cref="InvalidRequestException">The limit is too small.</exception>
    internal static MemoryPlan Make(Model model, long limit, long neededBytes, ExpertStream stream)
    {
        int positions = Math.Min(CachedPositions, model.Info.ContextLength);
        long cache = positions * model.CacheShape.BytesPerPosition(model.Options.CacheType, model.Options.ValueCacheType);
        long working = RuntimeBytes + cache + NativeBytes.Held + GC.GetTotalMemory(forceFullCollection: false);
        long room = limit - neededBytes - working;
        long slots = stream.Experts == 0 ? 0 : Math.Min(stream.Experts, room / stream.SlotBytes);
        long least = neededBytes + working + (stream.LeastSlots * stream.SlotBytes);
        if (model.Options.ExpertSlots is { } given)
        {
            slots = given;
        }
        else if (room < 0 && stream.Experts == 0)
        {
            throw new InvalidRequestException(
                $"{model.Info.Name} needs {Megabytes(least)} of memory and is to get by with {limit / 1_000_000} MB; every token needs all of its weights: " +
                "only experts of a mixture can be read when needed. Leave out the limit: the system then reads weights again where it has to.");
        }
        else if (slots < Math.Min(stream.LeastSlots, stream.Experts))
        {
            throw new InvalidRequestException(
                $"{model.Info.Name} is to get by with {limit / 1_000_000} MB of memory and needs at least {Megabytes(least)}: " +
                $"{Megabytes(neededBytes)} for weights that every token needs, {Megabytes(working)} to work with, " +
                $"{Megabytes(stream.LeastSlots * stream.SlotBytes)} for the {stream.LeastSlots} experts that a token uses in a layer; raise the limit.");
        }

        return new MemoryPlan(
            limit, neededBytes, working, stream.Experts, stream.StoredBytes, stream.UsedPerToken, (int)slots, stream.SlotBytes);
    }

    private static string Megabytes(long bytes) => $"{(bytes + 999_999) / 1_000_000} MB";
}
