using Pure.Engine.Models;
using Pure.Engine.Reference;

namespace Pure.Serve.Comparing;

/// <summary>What typically makes two forward passes part at an intermediate when all before it agree.</summary>
internal static class TypicalCauses
{
    // Below this the two do the same thing with other roundings; a mistake in the model is seldom so small.
    private const double Rounding = 0.05;

    /// <summary>The causes, likeliest first.</summary>
    internal static IReadOnlyList<string> Of(TraceComparison comparison)
    {
        TensorComparison first = comparison.First ?? throw new ArgumentException("The traces agree.", nameof(comparison));
        (int? layer, string step) = TraceName.Split(first.Name);
        bool isMixture = layer is { } number && comparison.Tensors.Any(tensor => tensor.Name == TraceName.InLayer(number, TraceName.RouterLogits));
        List<string> causes = [];
        if (first.LargestError < Rounding)
        {
            causes.Add(
                "rounding: an error as small as this comes from 16-bit keys and values, 8-bit activations or another order of sums more "
                + "often than from a mistake; trace with --kv-type f32 --activations f32, or --precision f64");
        }

        if (comparison.Before is null && step != TraceName.Embedding)
            causes.Add("anything before it: no earlier intermediate is in both, so compare traces, not only logits");
        causes.AddRange(step switch
        {
            TraceName.Embedding =>
            [
                "other tokens: a beginning-of-text token added or left out",
                "the factor on embeddings (Gemma: the root of the width; Granite: embedding_scale)",
                "how rows of the embedding are dequantised",
            ],
            TraceName.AttentionNorm or TraceName.FeedForwardNorm or TraceName.OutputNorm =>
            [
                "the norm's weight: missing, another layer's, or with 1 added or not (Gemma)",
                "the norm's epsilon, or whether it is added before the root",
                "a norm over another width, or one that takes the mean away (LayerNorm, not RMSNorm)",
            ],
            TraceName.AttentionOut => OfAttention(first.FirstRow!.Value),
            TraceName.AttentionPostNorm or TraceName.FeedForwardPostNorm => ["the norm after the branch: its weight, its epsilon, or its place"],
            TraceName.AttentionResidual =>
            [
                "the residual: the branch added to the normalised input and not to the stream",
                "the factor on residual branches (Granite: residual_scale)",
            ],
            TraceName.RouterLogits =>
            [
                "the router's input: the stream and not its norm",
                "the router's weights: rows in another order, rounded to 16 bits, or a bias left out",
            ],
            TraceName.FeedForwardOut => isMixture ? OfMixture : OfNetwork,
            TraceName.LayerOut => ["the residual of the feed-forward network, or the factor on it"],
            TraceName.Logits =>
            [
                "the output matrix: tied to the embedding or its own, and how it is dequantised",
                "the factor or soft cap on logits",
                "a row of padding more or less in the vocabulary",
            ],
            _ => [],
        });
        return causes;
    }

    /// <summary>Position 0 attends to itself alone: its weight is 1 whatever its score, and it is turned by no angle.</summary>
    private static string[] OfAttention(int position) => position == 0
        ?
        [
            "position 0 attends to itself alone, so scores cannot be the cause: the value or output projection, or their biases",
            "the order of heads, or which key/value head serves a query head (consecutive query heads share one)",
            "sinks in the softmax (gpt-oss), which count at position 0 too",
            "with latent attention: the norm of the latent, or the value part of the up-projection",
        ]
        :
        [
            "position 0, which attends to itself alone, agrees, so values and output are right and the scores are not: "
            + "RoPE's pairing (adjacent dimensions or halves), its base, its scaling, or the position it starts from",
            "the query and key projections: their biases, or their norms (per head, or over all)",
            "the factor on scores (1 / √head size; YaRN's magnitude; a family's own)",
            .. position > 1 ? (string[])[$"the mask: a sliding window, which shows from its width on ({position} positions agree)"] : ["the mask"],
        ];

    private static readonly string[] OfMixture =
    [
        "the router's logits agree: the order of experts in their stacks, or which of gate, up and down is which",
        "the gate function: softmax before or after the choice, or sigmoid",
        "the chosen experts' weights: made to sum to 1 or not, and the factor on them (routed_scaling_factor)",
        "the choice: a selection bias that belongs to the ranking and not to the weights, groups, ties",
        "the shared experts: left out, or their gate",
    ];

    private static readonly string[] OfNetwork =
    [
        "gate and up exchanged",
        "the activation: SiLU, or GELU in its tanh or its exact form",
        "the down projection, or how the three matrices are dequantised",
    ];
}
