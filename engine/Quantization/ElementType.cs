namespace Pure.Engine.Quantization;

/// <summary>How the elements of a tensor are stored. Values are those of GGUF (ggml_type).</summary>
public enum ElementType
{
    /// <summary>32-bit IEEE float.</summary>
    F32 = 0,

    /// <summary>16-bit IEEE float.</summary>
    F16 = 1,

    /// <summary>Blocks of 32 at 4 bits with one scale.</summary>
    Q4_0 = 2,

    /// <summary>Blocks of 32 at 8 bits with one scale.</summary>
    Q8_0 = 8,

    /// <summary>Super-blocks of 256 at 4 bits; 6-bit scales and minima per 32.</summary>
    Q4_K = 12,

    /// <summary>Super-blocks of 256 at 6 bits; 8-bit scales per 16.</summary>
    Q6_K = 14,

    /// <summary>bfloat16: the upper half of a 32-bit float.</summary>
    BF16 = 30,
}
