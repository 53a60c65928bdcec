namespace Pure.Engine.Quantization;

/// <summary>
/// How the elements of a tensor are stored. Values below <see cref="F8_E4M3"/> are those of GGUF (ggml_type); GGUF does not have the
/// others.
/// </summary>
public enum ElementType
{
    /// <summary>32-bit IEEE float.</summary>
    F32 = 0,

    /// <summary>16-bit IEEE float.</summary>
    F16 = 1,

    /// <summary>Blocks of 32 at 4 bits with one scale.</summary>
    Q4_0 = 2,

    /// <summary>Blocks of 32 at 4 bits with a scale and a least value.</summary>
    Q4_1 = 3,

    /// <summary>Blocks of 32 at 5 bits with one scale.</summary>
    Q5_0 = 6,

    /// <summary>Blocks of 32 at 5 bits with a scale and a least value.</summary>
    Q5_1 = 7,

    /// <summary>Blocks of 32 at 8 bits with one scale.</summary>
    Q8_0 = 8,

    /// <summary>Super-blocks of 256 at 2 bits; 4-bit scales and minima per 16.</summary>
    Q2_K = 10,

    /// <summary>Super-blocks of 256 at 3 bits; 6-bit scales per 16.</summary>
    Q3_K = 11,

    /// <summary>Super-blocks of 256 at 4 bits; 6-bit scales and minima per 32.</summary>
    Q4_K = 12,

    /// <summary>Super-blocks of 256 at 5 bits; 6-bit scales and minima per 32.</summary>
    Q5_K = 13,

    /// <summary>Super-blocks of 256 at 6 bits; 8-bit scales per 16.</summary>
    Q6_K = 14,

    /// <summary>Blocks of 32 at 4 bits that name unevenly spaced values, with one scale.</summary>
    IQ4_NL = 20,

    /// <summary>Super-blocks of 256 at 4 bits that name unevenly spaced values; 6-bit scales per 32.</summary>
    IQ4_XS = 23,

    /// <summary>bfloat16: the upper half of a 32-bit float.</summary>
    BF16 = 30,

    /// <summary>Blocks of 32 floats of 4 bits with a power of two as scale (OCP Microscaling).</summary>
    MXFP4 = 39,

    /// <summary>8-bit float with 4 bits of exponent and 3 of mantissa (OCP).</summary>
    F8_E4M3 = 1000,

    /// <summary>8-bit float with 5 bits of exponent and 2 of mantissa (OCP).</summary>
    F8_E5M2 = 1001,

    /// <summary>Blocks of 128 8-bit floats (4 bits of exponent) with one 32-bit float as scale.</summary>
    F8_E4M3_B128 = 1002,
}
