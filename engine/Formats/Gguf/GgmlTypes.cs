namespace Pure.Engine.Formats.Gguf;

/// <summary>Element types that files have and this engine has not, so that a refusal can name them.</summary>
internal static class GgmlTypes
{
    /// <summary>Number (ggml_type) and, where there is one, name.</summary>
    public static string Describe(uint type) => Name(type) is { } name ? $"{type} ({name})" : $"{type} (unknown)";

    private static string? Name(uint type) => type switch
    {
        3 => "Q4_1",
        6 => "Q5_0",
        7 => "Q5_1",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        13 => "Q5_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
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
        39 => "MXFP4",
        40 => "NVFP4",
        _ => null,
    };
}
