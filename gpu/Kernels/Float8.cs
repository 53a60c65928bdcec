namespace Pure.Gpu.Kernels;

/// <summary>Eight neighbouring elements.</summary>
internal struct Float8
{
    internal float A;
    internal float B;
    internal float C;
    internal float D;
    internal float E;
    internal float F;
    internal float G;
    internal float H;
}
