using System.Globalization;

namespace Pure.Engine.Models;

/// <summary>
/// The names of a forward pass's intermediates, in the order in which they arise. Those of a layer stand behind its prefix:
/// <c>blk.0.attn_norm</c>.
/// </summary>
public static class TraceName
{
    private const string LayerPrefix = "blk.";

    /// <summary>The tokens' embeddings, with the family's factor <c>[positions, embedding]</c>.</summary>
    public const string Embedding = "embedding";

    /// <summary>What attention reads <c>[positions, embedding]</c>.</summary>
    public const string AttentionNorm = "attn_norm";

    /// <summary>Attention's result, behind the output projection <c>[positions, embedding]</c>.</summary>
    public const string AttentionOut = "attn_out";

    /// <summary>The same, normalised; of families with a norm there <c>[positions, embedding]</c>.</summary>
    public const string AttentionPostNorm = "attn_post_norm";

    /// <summary>The residual stream after attention <c>[positions, embedding]</c>.</summary>
    public const string AttentionResidual = "attn_residual";

    /// <summary>What the feed-forward network or the mixture reads <c>[positions, embedding]</c>.</summary>
    public const string FeedForwardNorm = "ffn_norm";

    /// <summary>The router's logits before the gate function; of mixtures <c>[positions, experts]</c>.</summary>
    public const string RouterLogits = "router_logits";

    /// <summary>The result of the feed-forward network, or of the mixture with its shared experts <c>[positions, embedding]</c>.</summary>
    public const string FeedForwardOut = "ffn_out";

    /// <summary>The same, normalised; of families with a norm there <c>[positions, embedding]</c>.</summary>
    public const string FeedForwardPostNorm = "ffn_post_norm";

    /// <summary>The residual stream after the layer <c>[positions, embedding]</c>.</summary>
    public const string LayerOut = "layer_out";

    /// <summary>What the head reads <c>[positions, embedding]</c>.</summary>
    public const string OutputNorm = "output_norm";

    /// <summary>Logits before any softmax <c>[positions, vocabulary]</c>.</summary>
    public const string Logits = "logits";

    /// <summary>The names of one layer, in order.</summary>
    public static IReadOnlyList<string> OfLayer { get; } =
    [
        AttentionNorm, AttentionOut, AttentionPostNorm, AttentionResidual,
        FeedForwardNorm, RouterLogits, FeedForwardOut, FeedForwardPostNorm, LayerOut,
    ];

    /// <summary>The full name of a layer's intermediate.</summary>
    public static string InLayer(int layer, string name) => $"{LayerPrefix}{layer}.{name}";

    /// <summary>Parts a name such as <c>blk.0.attn_norm</c> into layer 0 and <c>attn_norm</c>; any other is no layer's and stays whole.</summary>
    public static (int? Layer, string Name) Split(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!name.StartsWith(LayerPrefix, StringComparison.Ordinal))
            return (null, name);
        int dot = name.IndexOf('.', LayerPrefix.Length);
        return dot >= 0 && int.TryParse(name.AsSpan(LayerPrefix.Length, dot - LayerPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int layer)
            ? (layer, name[(dot + 1)..])
            : (null, name);
    }

    /// <summary>Where a name stands in the forward pass: names that are not known come last, of a layer or of all.</summary>
    internal static (int Part, int Layer, int Step) Order(string name)
    {
        (int? layer, string step) = Split(name);
        if (layer is null)
            return (step switch { Embedding => 0, OutputNorm => 2, Logits => 3, _ => 4 }, 0, 0);
        int index = OfLayer.TakeWhile(known => known != step).Count();
        return (1, layer.Value, index);
    }
}
