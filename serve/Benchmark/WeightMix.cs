using Pure.Engine.Quantization;

namespace Pure.Serve.Benchmark;

/// <summary>
/// Which element type each tensor of a model has: one for all matrices, or one of the mixes that llama.cpp's quantiser writes under the
/// same name, so that random files weigh what real ones do. Norms and routers are always floats.
/// </summary>
internal sealed class WeightMix
{
    private const string Medium = "Q4_K_M";

    /// <summary>What the command line may name.</summary>
    internal static readonly IReadOnlyList<WeightMix> All =
    [
        new("F32", ElementType.F32),
        new("F16", ElementType.F16),
        new("BF16", ElementType.BF16),
        new("Q8_0", ElementType.Q8_0),
        new("Q4_0", ElementType.Q4_0, head: ElementType.Q6_K),
        new(Medium, ElementType.Q4_K, head: ElementType.Q6_K, sensitive: ElementType.Q6_K),
        new("Q4_1", ElementType.Q4_1),
        new("Q5_0", ElementType.Q5_0),
        new("Q5_1", ElementType.Q5_1),
        new("Q2_K", ElementType.Q2_K),
        new("Q3_K", ElementType.Q3_K),
        new("Q4_K", ElementType.Q4_K),
        new("Q5_K", ElementType.Q5_K),
        new("Q6_K", ElementType.Q6_K),
        new("IQ4_NL", ElementType.IQ4_NL),
        new("IQ4_XS", ElementType.IQ4_XS),
        new("MXFP4", ElementType.MXFP4),
    ];

    private readonly ElementType _usual;
    private readonly ElementType _head;
    private readonly ElementType _sensitive;

    private WeightMix(string name, ElementType usual, ElementType? head = null, ElementType? sensitive = null)
    {
        Name = name;
        _usual = usual;
        _head = head ?? usual;
        _sensitive = sensitive ?? usual;
    }

    /// <summary>Its name.</summary>
    internal string Name { get; }

    /// <summary>The element type of one tensor in a model of so many layers.</summary>
    internal ElementType TypeOf(in ShapeTensor tensor, int layers)
    {
        if (tensor.Role is TensorRole.Norm or TensorRole.Router)
            return ElementType.F32;
        ElementType type = tensor.Name == "output.weight" ? _head
            : IsSensitive(tensor.Name) && GetsMoreBits(tensor.Layer, layers) ? _sensitive
            : _usual;
        return tensor.Sizes[^1] % ElementFormat.Of(type).BlockSize == 0 ? type : ForNarrowRows(type);
    }

    /// <summary>Values, and what writes back into the residual stream.</summary>
    private static bool IsSensitive(string name) =>
        name.Contains(".attn_v.", StringComparison.Ordinal)
        || name.Contains(".attn_kv_b.", StringComparison.Ordinal)
        || name.Contains(".ffn_down", StringComparison.Ordinal);

    /// <summary>The first and the last eighth of the layers, and every third between.</summary>
    private static bool GetsMoreBits(int layer, int layers) =>
        layer < layers / 8 || layer >= 7 * layers / 8 || (layer - (layers / 8)) % 3 == 2;

    /// <summary>What stands in for super-blocks where a row is no whole number of them.</summary>
    private static ElementType ForNarrowRows(ElementType type) => type switch
    {
        ElementType.Q4_K => ElementType.Q5_0,
        ElementType.Q5_K => ElementType.Q5_1,
        ElementType.Q6_K => ElementType.Q8_0,
        _ => ElementType.IQ4_NL,
    };
}
