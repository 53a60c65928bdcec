using Pure.Engine.Devices;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Layers;

/// <summary>Which branches a GPU runs, and what they take.</summary>
internal static class BranchRules
{
    /// <summary>Why a branch cannot be on a device, as the end of a sentence; null where it can.</summary>
    internal static string? Refusal(Branch branch, Placement placement, DeviceModel model)
    {
        if (model.Embedding % DeviceFormat.BlockSize != 0)
            return $"its {model.Embedding} columns are no multiple of {DeviceFormat.BlockSize}";
        if (branch.IsAttention && Attention(branch.Sublayer, model) is { } refusal)
            return refusal;
        if (placement == Placement.Split && branch.Sublayer is not MixtureOfExperts { LayerWeights.Shared: not null })
            return "it has no shared experts";
        if (placement != Placement.Split && branch.Sublayer is MixtureOfExperts mixture && !Routing.Fits(mixture.Shape))
            return $"there is no router for {mixture.Shape.Used} of {mixture.Shape.Experts} experts";

        // Cached experts are multiplied with there, too.
        Placement multiplied = placement == Placement.Cached ? Placement.Whole : placement;
        return branch.Matrices(multiplied).Select(DeviceLinear.Refusal).FirstOrDefault(reason => reason is not null);
    }

    /// <summary>What a branch that is not refused takes.</summary>
    internal static DeviceBytes BytesOf(Branch branch, Placement placement, DeviceModel model)
    {
        long weights = branch.Matrices(placement).Sum(DeviceLinear.Bytes);
        switch (branch.Sublayer)
        {
            case GroupedQueryAttention attention:
                DeviceBuffers heads = Shared("heads", AttentionScratch.Bytes(model.MaxRows, attention.Shape));
                return new DeviceBytes(weights, LayerCache(), heads, Spans(GroupedQueryBranch.ShapeOf(attention)));
            case MultiHeadLatentAttention attention:
                DeviceBuffers latents = Shared("latents", LatentScratch.Bytes(model.MaxRows, attention));
                return new DeviceBytes(weights + TransposedBytes(attention), LayerCache(), latents, Spans(LatentBranch.ShapeOf(attention)));
            case GatedFeedForward network:
                return new DeviceBytes(weights, 0, Shared("network", GatedScratch.Bytes(model.MaxRows, network.Gate.Outputs)));
            case MixtureOfExperts mixture:
                return new DeviceBytes(
                    weights,
                    0,
                    Shared("shared experts", SharedScratch.Bytes(model.MaxRows, model.Embedding, mixture.LayerWeights)),
                    placement == Placement.Split
                        ? Shared("rows", SplitScratch.Bytes(model.MaxRows))
                        : Shared("mixture", MixtureScratch.Bytes(model.MaxRows, model.Embedding, mixture)));
            default:
                return new DeviceBytes(weights, 0);
        }

        long LayerCache() => DeviceCache.LayerBytes(model.Cache, model.CacheType, model.Blocks);

        static DeviceBuffers Shared(string name, long bytes) => new(name, bytes);

        DeviceBuffers Spans(in AttentionShape shape)
        {
            (int slots, long bytes) = AttentionOps.Room(shape, model.Blocks);
            return Shared("spans", bytes + DeviceRows.Bytes(model.MaxRows, model.Blocks, slots, model.Ropes));
        }
    }

    /// <summary>Bytes of transposed matrices, which are halves there.</summary>
    private static long TransposedBytes(MultiHeadLatentAttention attention) =>
        attention.LayerWeights.KeyUp[0].Transposed is null ? 0 : attention.LayerWeights.KeyUp.Sum(head => 2L * head.Outputs * head.Inputs);

    private static string? Attention(Sublayer attention, DeviceModel model)
    {
        if (model.CacheType != model.ValueCacheType || !DeviceCache.Takes(model.CacheType))
            return $"keys and values are f16 or f32 there, and not {model.CacheType} and {model.ValueCacheType}";
        AttentionShape shape = attention switch
        {
            GroupedQueryAttention grouped => GroupedQueryBranch.ShapeOf(grouped),
            MultiHeadLatentAttention latent => LatentBranch.ShapeOf(latent),
            _ => default,
        };
        if (attention is MultiHeadLatentAttention { LayerWeights: var weights } multi)
        {
            if (weights.KeyExpand is not null)
                return "latents are not expanded there (--mla expand)";
            if (weights.KeyUp[0].Transposed is not null && !HeadMatrices.IsSupported(multi.Shape.NopeSize))
                return "there is no kernel for its heads' matrices";
        }

        return shape.IsSupported && shape.Columns % 8 == 0 ? null : "there is no kernel for its heads' size";
    }
}
