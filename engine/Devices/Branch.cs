using Pure.Engine.Layers;

namespace Pure.Engine.Devices;

/// <summary>Half a layer, as devices are handed it: x += scale · postNorm(sublayer(norm(x))).</summary>
/// <param name="Layer">Its layer.</param>
/// <param name="Norm">Before the sublayer.</param>
/// <param name="Sublayer">Attention, or a feed-forward network.</param>
/// <param name="PostNorm">Behind the sublayer; null for none.</param>
/// <param name="Scale">Factor on the result.</param>
internal sealed record Branch(int Layer, RmsNorm Norm, Sublayer Sublayer, RmsNorm? PostNorm, float Scale)
{
    /// <summary>Whether keys and values of its layer lie where it runs.</summary>
    internal bool IsAttention => Sublayer is Attention;

    /// <summary>Whether it is a mixture of experts.</summary>
    internal bool IsMixture => Sublayer is MixtureOfExperts;

    /// <summary>Its matrices that are on a device where it is placed so; a transpose, which is made and not stored, is none of them.</summary>
    internal IEnumerable<Linear> Matrices(Placement placement) => Sublayer switch
    {
        GroupedQueryAttention { LayerWeights: var weights } => [weights.Query, weights.Key, weights.Value, weights.Output],
        MultiHeadLatentAttention { LayerWeights: var weights } =>
        [
            .. weights.QueryDown is null ? (Linear[])[] : [weights.QueryDown], weights.Query, weights.LatentDown, weights.Output,
            .. weights.ValueUp, .. weights.KeyUp[0].Transposed is null ? weights.KeyUp : [],
        ],
        GatedFeedForward network => Of(network),
        MixtureOfExperts { LayerWeights: var weights } =>
        [
            .. placement == Placement.Split ? (Linear[])[] : [weights.Router],
            .. placement == Placement.Whole ? (Linear[])[.. weights.Gate, .. weights.Up, .. weights.Down] : [],
            .. weights.Shared is null ? [] : Of(weights.Shared), .. weights.SharedGate is null ? (Linear[])[] : [weights.SharedGate],
        ],
        _ => [],
    };

    private static Linear[] Of(GatedFeedForward network) => [network.Gate, network.Up, network.Down];
}

/// <summary>What makes logits of the hidden state: matrix · norm(x) / divisor.</summary>
/// <param name="Norm">Before the matrix.</param>
/// <param name="Matrix"><c>[vocabulary, embedding]</c>.</param>
/// <param name="Divisor">Divides the logits.</param>
internal sealed record OutputHead(RmsNorm Norm, Linear Matrix, float Divisor);
