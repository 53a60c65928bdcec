namespace Pure.Engine.Kernels;

/// <summary>The instruction-set clusters a kernel is written for. All give the same bits.</summary>
public enum Isa
{
    /// <summary>Plain C#: the definitions.</summary>
    Scalar,

    /// <summary>Arm's Advanced SIMD, with its dot products of bytes where the processor has them.</summary>
    Neon,

    /// <summary>AVX2 with FMA.</summary>
    Avx2,

    /// <summary>AVX2 with FMA, and AVX-VNNI's dot products of bytes.</summary>
    AvxVnni,

    /// <summary>AVX-512 F, BW, DQ and VL.</summary>
    Avx512,
}
