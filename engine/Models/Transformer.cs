using Pure.Engine.Devices;
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

    /// <summary>The layer that predicts the token after the next; null where the file has none.</summary>
    internal NextTokenLayer? NextToken { get; init; }

    /// <summary>All residual branches in their order: of each layer its attention, then its feed-forward network.</summary>
    internal Branch[] Branches() => [.. Blocks.Index().SelectMany(block => block.Item.Branches(block.Index))];
}

/// <summary>
/// A layer of its own that predicts the token after the next: from the hidden state of a position and the embedding of the token that
/// follows it, h' = block(W · [norm(embedding); norm(h)]), and logits = head · norm(h').
/// </summary>
/// <remarks>
/// DeepSeek-V3, arXiv:2412.19437, section 2.2, equations 21 to 23; embedding before hidden state, as published weights have them, and
/// h behind the model's output norm, as they were served from the beginning.
/// </remarks>
/// <param name="Embedding"><c>[vocabulary, embedding]</c>; the model's own where the file has no other.</param>
/// <param name="EmbeddingNorm">Norm of the embedding.</param>
/// <param name="HiddenNorm">Norm of the hidden state.</param>
/// <param name="Joint">W <c>[embedding, 2 · embedding]</c>.</param>
/// <param name="Block">A layer like the last of the model's.</param>
/// <param name="OutputNorm">Norm before the head.</param>
/// <param name="Head"><c>[vocabulary, embedding]</c>; the model's own where the file has no other.</param>
internal sealed record NextTokenLayer(
    Linear Embedding, RmsNorm EmbeddingNorm, RmsNorm HiddenNorm, Linear Joint, TransformerBlock Block, RmsNorm OutputNorm, Linear Head);

/// <summary>One layer: x += attention(norm(x)), then x += feedForward(norm(x)).</summary>
internal sealed record TransformerBlock(RmsNorm AttentionNorm, Attention Attention, RmsNorm FeedForwardNorm, FeedForward FeedForward)
{
    /// <summary>Norm of the attention's result before it is added; null for none.</summary>
    internal RmsNorm? AttentionPostNorm { get; init; }

    /// <summary>Norm of the feed-forward network's result before it is added; null for none.</summary>
    internal RmsNorm? FeedForwardPostNorm { get; init; }

    /// <summary>Factor on both results.</summary>
    internal float ResidualScale { get; init; } = 1;

    /// <summary>Its two residual branches.</summary>
    internal Branch[] Branches(int layer) =>
    [
        new(layer, AttentionNorm, Attention, AttentionPostNorm, ResidualScale),
        new(layer, FeedForwardNorm, FeedForward, FeedForwardPostNorm, ResidualScale),
    ];
}
