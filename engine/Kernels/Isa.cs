namespace Pure.Engine.Kernels;

/// <summary>The instruction-set clusters a kernel is written for. All give the same bits.</summary>
public enum Isa
{
    /// <summary>Plain C#: the definitions.</summary>
    Scalar,

    /// <summary>AVX2 with FMA.</summary>
    Avx2,

    /// <summary>AVX-512 F, BW, DQ and VL.</summary>
    Avx512,
}
