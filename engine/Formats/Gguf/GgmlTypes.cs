using Pure.Engine.Quantization;

namespace Pure.Engine.Formats.Gguf;

/// <summary>The numbers of element types (ggml_type): those this engine has, and names of others so that a refusal can name them.</summary>
internal static class GgmlTypes
{
    /// <summary>The supported types that files may hold, as words: <c>F32, F16, …</c>.</summary>
    public static string Supported { get; } =
        string.Join(", ", ElementFormat.All.Where(format => Has(format.Type)).Select(format => format.Name));

    /// <summary>The format of a number, null for one that is not supported.</summary>
    public static ElementFormat? Find(uint type) => Has((ElementType)type) ? ElementFormat.Find((ElementType)type) : null;

    /// <summary>Whether GGUF files may hold <paramref name="type"/>.</summary>
    public static bool Has(ElementType type) => type is >= 0 and < ElementType.F8_E4M3;

    /// <summary>Number (ggml_type) and, where there is one, name.</summary>
    public static string Describe(uint type) => Name(type) is { } name ? $"{type} ({name})" : $"{type} (unknown)";

    private static string? Name(uint type) => type switch
    {
        9 => "Q8_1",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        21 => "IQ3_S",
        22 => "IQ2_S",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        31 => "Q4_0_4_4",
        32 => "Q4_0_4_8",
        33 => "Q4_0_8_8",
        34 => "TQ1_0",
        35 => "TQ2_0",
        40 => "NVFP4",
        _ => null,
    };
}
