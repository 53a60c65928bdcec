using Pure.Engine.Layers;
using Pure.Engine.Memory;

namespace Pure.Engine.Models;

/// <summary>A decoder-only transformer, assembled by a family.</summary>
/// <param name="Embedding"><c>[vocabulary, embedding]</c>; its rows are looked up.</param>
/// <param name="Rope">The rotary embedding that all layers share.</param>
/// <param name="Blocks">The layers.</param>
/// <param name="OutputNorm">Norm before the head.</param>
/// <param name="Head"><c>[vocabulary, embedding]</c>; the embedding itself where they are tied.</param>
/// <param name="Cache">What a position costs in the cache.</param>
internal sealed record Transformer(
    Linear Embedding, RotaryEmbedding Rope, TransformerBlock[] Blocks, RmsNorm OutputNorm, Linear Head, CacheShape Cache);

/// <summary>One layer: x += attention(norm(x)), then x += feedForward(norm(x)).</summary>
internal sealed record TransformerBlock(RmsNorm AttentionNorm, Attention Attention, RmsNorm FeedForwardNorm, FeedForward FeedForward);
