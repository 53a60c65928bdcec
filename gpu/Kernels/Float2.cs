namespace Pure.Gpu.Kernels;

/// <summary>Two neighbouring elements.</summary>
internal struct Float2
{
    internal float X;
    internal float Y;
}
