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
}

/// <summary>What makes logits of the hidden state: matrix · norm(x) / divisor.</summary>
/// <param name="Norm">Before the matrix.</param>
/// <param name="Matrix"><c>[vocabulary, embedding]</c>.</param>
/// <param name="Divisor">Divides the logits.</param>
internal sealed record OutputHead(RmsNorm Norm, Linear Matrix, float Divisor);
