using Pure.Engine.Devices;
using Pure.Engine.Layers;
using Pure.Engine.Memory;
using Pure.Gpu.Kernels;

namespace Pure.Gpu.Layers;

/// <summary>Which branches a GPU runs, and what they take.</summary>
internal static class BranchRules
{
    /// <summary>Why a branch cannot be on a device, as the end of a sentence; null where it can.</summary>
    internal static string? Refusal(Branch branch, DeviceModel model)
    {
        if (model.Embedding % DeviceFormat.BlockSize != 0)
            return $"its {model.Embedding} columns are no multiple of {DeviceFormat.BlockSize}";
        if (branch.IsAttention && Attention(branch.Sublayer, model) is { } refusal)
            return refusal;
        if (branch.Sublayer is MixtureOfExperts mixture && !Routing.Fits(mixture.Shape))
            return $"there is no router for {mixture.Shape.Used} of {mixture.Shape.Experts} experts";
        return Linears(branch).Select(DeviceLinear.Refusal).FirstOrDefault(reason => reason is not null);
    }

    /// <summary>The matrices of a branch as they are stored.</summary>
    internal static IEnumerable<Linear> Linears(Branch branch)
    {
        switch (branch.Sublayer)
        {
            case GroupedQueryAttention { LayerWeights: var weights }:
                return [weights.Query, weights.Key, weights.Value, weights.Output];
            case MultiHeadLatentAttention { LayerWeights: var weights }:
                return [
                    .. weights.QueryDown is null ? (Linear[])[] : [weights.QueryDown], weights.Query, weights.LatentDown, weights.Output,
                    .. weights.ValueUp, .. weights.KeyUp[0].Transposed is null ? weights.KeyUp : []];
            case GatedFeedForward network:
                return Of(network);
            case MixtureOfExperts { LayerWeights: var weights }:
                return [
                    weights.Router, .. weights.Gate, .. weights.Up, .. weights.Down,
                    .. weights.Shared is null ? [] : Of(weights.Shared), .. weights.SharedGate is null ? (Linear[])[] : [weights.SharedGate]];
            default:
                return [];
        }
    }

    /// <summary>Bytes of transposed matrices, which are halves there.</summary>
    internal static long TransposedBytes(Branch branch) =>
        branch.Sublayer is MultiHeadLatentAttention { LayerWeights.KeyUp: [{ Transposed: not null }, ..] keys }
            ? keys.Sum(head => 2L * head.Outputs * head.Inputs)
            : 0;

    private static Linear[] Of(GatedFeedForward network) => [network.Gate, network.Up, network.Down];

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
