namespace Pure.Gpu.Kernels;

/// <summary>Sixteen bytes, which a thread loads at once.</summary>
internal struct Words4
{
    internal uint A;
    internal uint B;
    internal uint C;
    internal uint D;
}
