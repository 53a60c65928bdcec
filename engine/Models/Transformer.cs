using Pure.Engine.Layers;
using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>A decoder-only transformer, assembled by a family.</summary>
/// <param name="Embedding"><c>[vocabulary, embedding]</c>; its rows are looked up.</param>
/// <param name="Ropes">The rotary embeddings that layers use.</param>
/// <param name="Blocks">The layers.</param>
/// <param name="OutputNorm">Norm before the head.</param>
/// <param name="Head"><c>[vocabulary, embedding]</c>; the embedding itself where they are tied.</param>
/// <param name="Cache">What a position costs in the cache.</param>
internal sealed record Transformer(
    Linear Embedding, RotaryEmbedding[] Ropes, TransformerBlock[] Blocks, RmsNorm OutputNorm, Linear Head, CacheShape Cache)
{
    /// <summary>Factor on a token's embedding.</summary>
    internal float EmbeddingScale { get; init; } = 1;

    /// <summary>Divides the logits.</summary>
    internal float LogitDivisor { get; init; } = 1;
}

/// <summary>One layer: x += attention(norm(x)), then x += feedForward(norm(x)).</summary>
internal sealed record TransformerBlock(RmsNorm AttentionNorm, Attention Attention, RmsNorm FeedForwardNorm, FeedForward FeedForward)
{
    /// <summary>Norm of the attention's result before it is added; null for none.</summary>
    internal RmsNorm? AttentionPostNorm { get; init; }

    /// <summary>Norm of the feed-forward network's result before it is added; null for none.</summary>
    internal RmsNorm? FeedForwardPostNorm { get; init; }

    /// <summary>Factor on both results.</summary>
    internal float ResidualScale { get; init; } = 1;
}
